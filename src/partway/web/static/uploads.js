/** The uploads on the page: one row each, sent one after the other. */
import { say } from "./dom.js";
import { begun, fingerprint } from "./remembered.js";
import { UploadRow } from "./upload-row.js";
import { uuid } from "./uploader.js";

/** @typedef {import("./remembered.js").Begun} Begun */
/** @typedef {import("./server.js").Server} Server */

export class Uploads {
  /** @type {UploadRow[]} */
  rows = [];

  /** @param {Server} server @param {() => void} onChange when a video came, went or grew complete */
  constructor(server, onChange) {
    this.server = server;
    this.onChange = onChange;
    addEventListener("online", () => this.rows.forEach((row) => row.upload?.retryNow()));
    addEventListener("beforeunload", (event) => {
      if (this.rows.some((row) => row.isSending)) event.preventDefault();
    });
  }

  /** Rows for what an earlier visit left unfinished. */
  async recall() {
    for (const one of begun()) {
      if (this.rows.some((row) => row.begun.fingerprint === one.fingerprint)) continue;
      const row = new UploadRow(this, one);
      await row.recall();
    }
  }

  async add(/** @type {Iterable<File>} */ files) {
    for (const file of files) {
      try {
        await this.#addOne(file);
      } catch {
        say(`${file.name} can't be read.`);
        new UploadRow(this, fresh(file, file.name)).refuse("This can't be read. Is it a folder?");
      }
    }
    this.next();
  }

  async #addOne(/** @type {File} */ file) {
    const print = await fingerprint(file);
    const row = this.rows.find((one) => one.begun.fingerprint === print && !one.isOver);
    if (row?.file) say(`${file.name} is here already.`);
    else
      (row ?? new UploadRow(this, begun().find((one) => one.fingerprint === print) ?? fresh(file, print))).take(file);
  }

  showTitle() {
    const row = this.rows.find((one) => one.isSending);
    document.title = row ? `${row.percent} % · partway` : "partway";
  }

  /** Starts the first that waits, unless one is running. */
  next() {
    if (!this.rows.some((row) => row.isSending)) this.rows.find((row) => row.isQueued)?.start();
  }
}

/** @returns {Begun} */
function fresh(/** @type {File} */ file, /** @type {string} */ print) {
  const { name, size } = file;
  return { fingerprint: print, name, size, idempotencyKey: uuid(), videoId: null, begunAt: Date.now() };
}
