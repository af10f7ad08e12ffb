/** The server as the page talks to it: a key, and JSON questions. */
import { refusal } from "./problem.js";
import { basic } from "./uploader.js";

const PLACE = "partway.key";

export class Server {
  apiKey = sessionStorage.getItem(PLACE) ?? localStorage.getItem(PLACE);
  /** Called when a key that was accepted no longer is. */
  onRefusedKey = () => {};

  keep(/** @type {string} */ apiKey, /** @type {boolean} */ onThisDevice) {
    this.apiKey = apiKey;
    (onThisDevice ? localStorage : sessionStorage).setItem(PLACE, apiKey);
  }

  forget() {
    this.apiKey = null;
    localStorage.removeItem(PLACE);
    sessionStorage.removeItem(PLACE);
  }

  /**
   * @param {string} method @param {string} path relative to the page, so that a prefix is kept
   * @returns {Promise<any>}
   * @throws {import("./problem.js").UploadError}
   */
  async ask(method, path, apiKey = this.apiKey ?? "") {
    const init = { method, headers: { Authorization: basic(apiKey) } };
    const answer = await fetch(path, init).catch(() => null);
    const text = answer ? await answer.text() : "";
    if (answer?.ok) return text && JSON.parse(text);
    const error = refusal(answer?.status ?? 0, text);
    if (error.status === 401 && apiKey === this.apiKey) this.onRefusedKey();
    throw error;
  }
}
