/**
 * Uploads this browser began and has not finished, kept in localStorage so that a reload or a crash loses nothing.
 *
 * @typedef {object} Begun
 * @property {string} fingerprint
 * @property {string} name of the file
 * @property {number} size in bytes
 * @property {string} idempotencyKey of the request that creates the video
 * @property {string | null} videoId null until that request was answered
 * @property {number} begunAt in ms as `Date.now()`
 */

const PLACE = "partway.uploads";
/** The server keeps an unfinished upload for seven days. */
const KEPT_FOR_MS = 7 * 86_400_000;
const HASHED_BYTES = 65_536;

/** @returns {Begun[]} */
export function begun() {
  try {
    const all = /** @type {Begun[]} */ (JSON.parse(localStorage.getItem(PLACE) ?? "[]"));
    return all.filter((one) => Date.now() - one.begunAt < KEPT_FOR_MS);
  } catch {
    return [];
  }
}

export function remember(/** @type {Begun} */ one) {
  write([...begun().filter((other) => other.fingerprint !== one.fingerprint), one]);
}

export function forget(/** @type {string} */ fingerprint) {
  write(begun().filter((other) => other.fingerprint !== fingerprint));
}

function write(/** @type {Begun[]} */ all) {
  localStorage.setItem(PLACE, JSON.stringify(all));
}

/**
 * What tells one file from another: name, size, date and, where the page may compute it, SHA-256 of its first 64 KiB
 * (`crypto.subtle` is missing on plain-http pages other than localhost).
 */
export async function fingerprint(/** @type {File} */ file) {
  const head = await file.slice(0, HASHED_BYTES).arrayBuffer();
  const digest = globalThis.crypto.subtle ? new Uint8Array(await crypto.subtle.digest("SHA-256", head)) : [];
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [file.name, file.size, file.lastModified, hex].join("|");
}
