/** What goes wrong with a request, as a value. */

/** Why an upload ended: `title` says it, `status` and `slug` come from the server's problem object. */
export class UploadError extends Error {
  constructor(/** @type {string} */ title, { status = 0, slug = "", detail = "", passing = false } = {}) {
    super(title);
    this.name = "UploadError";
    this.title = title;
    this.status = status;
    this.slug = slug;
    this.detail = detail;
    /** True when the same request may succeed later. */
    this.passing = passing;
  }
}

/** The error a non-2xx answer stands for. */
export function refusal(/** @type {number} */ status, /** @type {string} */ text) {
  const passing = status < 400 || status >= 500 || [408, 425, 429].includes(status);
  const problem = parsed(text) ?? {};
  const title =
    problem.title || (status ? `The server answered with status ${status}.` : "The server can't be reached.");
  return new UploadError(title, {
    status,
    slug: String(problem.type ?? "")
      .split("/")
      .pop(),
    detail: problem.detail,
    passing,
  });
}

/** @returns {any} the JSON of a text, or null if it is none */
export function parsed(/** @type {string} */ text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
