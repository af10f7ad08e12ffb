/**
 * Sends what is recorded at this moment to a new video, in numbered parts, while it is recorded. No dependency.
 *
 *     const sender = new PartSender({ apiKey, title });
 *     sender.start();
 *     recorder.ondataavailable = ({ data }) => sender.add(data);
 *     recorder.onstop = () => sender.finish();
 *
 * `state` is one of: ready, sending, waiting (for the server; tried again at `retryAt`), done, failed.
 * Events: `state`, `progress`, `created` (`video` is the server's record).
 * Nothing is dropped before the server has it: a refusal ends the sending, and `retryNow` begins it again.
 */
import { LEAST, MiB } from "./pieces.js";
import { UploadError, parsed, refusal } from "./problem.js";
import { post } from "./request.js";
import { basic, uuid } from "./uploader.js";

/** @typedef {import("./uploader.js").Video} Video */
/** @typedef {{ server?: string | URL, apiKey: string, title: string }} Options */

/** After a time without the server, what has gathered goes in larger parts. */
const LARGEST_PART = 32 * MiB;

export class PartSender extends EventTarget {
  /** @type {"ready" | "sending" | "waiting" | "done" | "failed"} */
  state = "ready";
  /** @type {UploadError | null} why it waits, or why it failed */
  error = null;
  /** @type {number | null} when the next attempt is, in ms as `Date.now()` */
  retryAt = null;
  /** @type {Video | null} */
  video = null;
  /** Bytes that the server has. */
  heldBytes = 0;
  /** Bytes that were handed over. */
  addedBytes = 0;

  #options;
  #key = uuid();
  /** @type {Blob[]} what is not in a part yet */
  #chunks = [];
  /** @type {Blob | null} the part on its way */
  #part = null;
  #number = 1;
  #loaded = 0;
  #isFinished = false;
  #failures = 0;
  /** @type {() => void} */
  #arrived = () => {};
  /** @type {() => void} */
  #again = () => {};
  /** @type {number | undefined} */
  #timer;

  /** @param {Options} options `server` is the page's own if left out */
  constructor(options) {
    super();
    this.#options = { server: document.baseURI, ...options };
  }

  /** Bytes that wait here, in memory or in the browser's temporary files. */
  get waitingBytes() {
    return this.addedBytes - this.heldBytes;
  }

  get sentBytes() {
    return this.heldBytes + this.#loaded;
  }

  /** Creates the video and sends; returns when all of it is there, or when the server refuses. */
  async start() {
    this.#become("sending");
    try {
      this.video ??= await this.#insist(() => this.#create());
      this.dispatchEvent(new Event("created"));
      for (let isLast = false; !isLast; ) {
        const part = await this.#next();
        isLast = this.#isFinished && !this.#chunks.length;
        const answer = await this.#insist(() => this.#send(part, isLast));
        this.heldBytes += part.size;
        this.#loaded = 0;
        this.#part = null;
        this.#number += 1;
        if (answer.assets) this.video = answer;
        this.dispatchEvent(new Event("progress"));
      }
      this.#become("done");
    } catch (reason) {
      this.error = reason instanceof UploadError ? reason : new UploadError(String(reason));
      this.#become("failed");
    }
  }

  /** Takes the next bytes of the recording. */
  add(/** @type {Blob} */ chunk) {
    this.#chunks.push(chunk);
    this.addedBytes += chunk.size;
    this.#arrived();
    this.dispatchEvent(new Event("progress"));
  }

  /** Nothing more will come. */
  finish() {
    this.#isFinished = true;
    this.#arrived();
  }

  /** Ends the wait before the next attempt; after a failure, begins again with what was refused. */
  retryNow() {
    if (this.state === "failed") void this.start();
    else this.#again();
  }

  /**
   * The next part. The smallest that the contract takes goes at once, since it is viewers who wait for it; so the last
   * part may be empty, which the contract takes as well.
   *
   * @returns {Promise<Blob>}
   */
  async #next() {
    while (!this.#part) {
      const gathered = this.#chunks.reduce((sum, chunk) => sum + chunk.size, 0);
      if (gathered >= LEAST || this.#isFinished) this.#part = this.#take();
      else await new Promise((go) => (this.#arrived = () => go(null)));
    }
    return this.#part;
  }

  #take() {
    let [count, size] = [0, 0];
    while (count < this.#chunks.length && (size < LEAST || size + this.#chunks[count].size <= LARGEST_PART)) {
      size += this.#chunks[count].size;
      count += 1;
    }
    return new Blob(this.#chunks.splice(0, count));
  }

  async #create() {
    const headers = {
      Authorization: basic(this.#options.apiKey),
      "Content-Type": "application/json",
      "Idempotency-Key": this.#key,
    };
    const body = JSON.stringify({ title: this.#options.title });
    const init = { method: "POST", headers, body };
    const answer = await fetch(new URL("videos", this.#options.server), init).catch(() => null);
    const text = answer ? await answer.text().catch(() => "") : "";
    const value = answer?.ok ? parsed(text) : null;
    if (!value) throw refusal(answer?.ok ? 0 : (answer?.status ?? 0), text);
    return value;
  }

  #send(/** @type {Blob} */ part, /** @type {boolean} */ isLast) {
    const form = new FormData();
    form.append("file", part, "recording");
    const headers = {
      Authorization: basic(this.#options.apiKey),
      "Content-Range": `part ${this.#number}/${isLast ? this.#number : "*"}`,
    };
    const path = `videos/${this.video?.videoId}/source`;
    return post(new URL(path, this.#options.server), headers, form, (loaded) => {
      this.#loaded = Math.min(loaded, part.size);
      this.dispatchEvent(new Event("progress"));
    }).answer;
  }

  /**
   * Tries until there is an answer. Sending a part again is harmless: the server knows it by its bytes.
   *
   * @param {() => Promise<any>} attempt
   */
  async #insist(attempt) {
    for (;;) {
      try {
        const answer = await attempt();
        this.#failures = 0;
        if (this.state !== "sending") this.#become("sending");
        return answer;
      } catch (reason) {
        this.#loaded = 0;
        if (!(reason instanceof UploadError) || !reason.passing) throw reason;
        this.error = reason;
      }
      const ms = Math.min(30_000, 500 * 2 ** this.#failures) * (0.75 + Math.random() / 2);
      this.#failures = Math.min(10, this.#failures + 1);
      this.retryAt = Date.now() + ms;
      this.#become("waiting");
      await new Promise((go) => {
        this.#again = () => go(null);
        this.#timer = setTimeout(this.#again, ms);
      });
      clearTimeout(this.#timer);
      this.retryAt = null;
    }
  }

  #become(/** @type {PartSender["state"]} */ state) {
    this.state = state;
    if (state === "sending" || state === "done") this.error = null;
    this.dispatchEvent(new Event("state"));
    this.dispatchEvent(new Event("progress"));
  }
}
