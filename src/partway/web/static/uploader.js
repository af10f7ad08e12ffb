/**
 * Uploads one file to a partway server: in pieces, several at once, with pause, resume and retry. No dependency.
 *
 *     import { Upload } from "https://videos.example.com/-/static/uploader.js";
 *
 *     const upload = new Upload(file, { server: "https://videos.example.com/", token: "to..." });
 *     upload.addEventListener("progress", () => bar.value = upload.sentBytes / file.size);
 *     upload.addEventListener("state", () => console.log(upload.state, upload.retryAt));
 *     const video = await upload.start();
 *
 * `state` is one of: ready, sending, paused, retrying, done, failed, cancelled.
 * Events: `state`, `progress` (at most ten a second) and `created` (the video exists: `upload.videoId`).
 * `pause`, `resume`, `retryNow` and `cancel` may be called in any state; what makes no sense then does nothing.
 * An upload that failed can go on as a new `Upload` of the same file with the old one's `videoId`.
 */
import { LARGEST_FILE, MiB, goesAlone, indexAtEnd, plan } from "./pieces.js";
import { UploadError, parsed, refusal } from "./problem.js";
import { post } from "./request.js";

export { UploadError };

/** @typedef {import("./pieces.js").Span} Span */
/** @typedef {{ videoId: string, title?: string, assets?: Record<string, string> }} Video */
/** @typedef {{ span: Span, loaded: number, abort: () => void, landed: boolean }} Flight */
/**
 * @typedef {object} Options
 * @property {string | URL} [server] base address; default: the page's own
 * @property {string} [apiKey] for pages of your own only: whoever has it may do anything
 * @property {string} [token] an upload token, the way for other people's pages
 * @property {string} [title] default: the file's name
 * @property {string} [videoId] an upload to go on with, or an empty video to fill
 * @property {string} [idempotencyKey] kept across reloads it makes a lost "create" answer harmless
 * @property {number} [parallel] pieces in flight; default 3
 */

const RATE_WINDOW_MS = 6_000;

const CANCELLED = new UploadError("The upload was cancelled.", { slug: "cancelled" });
/** A piece cut off by `pause()`: neither an error nor a reason to wait. */
const LANDED = new UploadError("The piece was cut off.", { slug: "landed", passing: true });

/** The Authorization header for an API key (the key is the user name, there is no password). */
export const basic = (/** @type {string} */ apiKey) => `Basic ${btoa(`${apiKey}:`)}`;

/** A random UUID (RFC 9562, version 4); `crypto.randomUUID` is missing on plain-http pages. */
export function uuid() {
  const b = crypto.getRandomValues(new Uint8Array(16));
  b[6] = (b[6] & 15) | 64;
  b[8] = (b[8] & 63) | 128;
  const hex = Array.from(b, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

export class Upload extends EventTarget {
  /** @type {"ready" | "sending" | "paused" | "retrying" | "done" | "failed" | "cancelled"} */
  state = "ready";
  /** @type {UploadError | null} why it failed, or why it is waiting */
  error = null;
  /** @type {number | null} when the next attempt is, in ms as `Date.now()` */
  retryAt = null;
  /** @type {Video | null} */
  video = null;
  /** @type {Span[]} what the server has acknowledged */
  held = [];
  /** @type {Set<Flight>} */
  flights = new Set();

  #options;
  #size = 8 * MiB;
  /** @type {Span[]} spans to send again exactly as they were: the server may hold them already */
  #again = [];
  /** @type {Generator<Span, void, void>} */
  #plan = plan(0, [], null, () => 0);
  /** @type {number | null} */
  #index = null;
  #attempt = 0;
  #relists = 0;
  /** @type {(() => void)[]} */
  #waiters = [];
  /** @type {number | undefined} */
  #retryTimer;
  #wireBytes = 0;
  /** @type {[number, number][]} */
  #samples = [];
  #reportedAt = 0;
  #stop = new AbortController();

  /** @param {File} file @param {Options} [options] */
  constructor(file, options = {}) {
    super();
    this.file = file;
    this.#options = { parallel: 3, server: document.baseURI, idempotencyKey: uuid(), ...options };
    this.videoId = options.videoId ?? null;
  }

  get totalBytes() {
    return this.file.size;
  }

  get heldBytes() {
    return this.held.reduce((sum, [from, to]) => sum + to - from, 0);
  }

  /** Acknowledged bytes and those on their way. */
  get sentBytes() {
    return [...this.flights].reduce((sum, flight) => sum + flight.loaded, this.heldBytes);
  }

  /** Over the last seconds; 0 while nothing moves. */
  get bytesPerSecond() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    return first && last && last[0] > first[0] ? ((last[1] - first[1]) / (last[0] - first[0])) * 1000 : 0;
  }

  get secondsLeft() {
    return this.bytesPerSecond ? (this.totalBytes - this.sentBytes) / this.bytesPerSecond : null;
  }

  /**
   * Sends the file and resolves with the complete video.
   *
   * @returns {Promise<Video>}
   * @throws {UploadError} when the server refuses, the file is not what it was, or after `cancel()`
   */
  async start() {
    if (this.state !== "ready") throw new UploadError("This upload was started already.");
    /** @type {Promise<void>[]} */
    let workers = [];
    this.#become("sending");
    try {
      if (!this.file.size) throw new UploadError("This file is empty.");
      if (this.file.size > LARGEST_FILE)
        throw new UploadError("This file is larger than 50,000 MiB, the most one video may have.");
      this.#index = await indexAtEnd(this.file).catch(() => null);
      await this.#begin();
      this.#planAnew();
      for (let span = this.#peek(); span && goesAlone(span, this.totalBytes, this.#index); span = this.#peek())
        await this.#sendNext();
      workers = Array.from({ length: this.#options.parallel }, () => this.#worker());
      await Promise.all(workers);
      if (!this.video) this.video = await this.#askUntilAnswered("GET", `videos/${this.videoId}`, undefined);
      this.#become("done");
      return /** @type {Video} */ (this.video);
    } catch (reason) {
      const cancelled = /** @type {string} */ (this.state) === "cancelled";
      this.error = cancelled ? CANCELLED : asUploadError(reason);
      if (!cancelled) this.#become("failed");
      this.#end();
      await Promise.allSettled(workers);
      throw this.error;
    }
  }

  /** Stops sending at once; pieces cut off here are sent again by `resume()`. */
  pause() {
    if (this.state !== "sending" && this.state !== "retrying") return;
    this.#become("paused");
    this.#land();
  }

  resume() {
    if (this.state === "paused") this.#go();
  }

  /** Ends the wait before the next attempt. */
  retryNow() {
    if (this.state === "retrying") this.#go();
  }

  /** Stops for good. What has arrived stays on the server until the video is deleted. */
  cancel() {
    if (this.state === "done" || this.state === "cancelled") return;
    this.#become("cancelled");
    this.#end();
  }

  /** Finds or makes the video, and learns what of it has arrived. */
  async #begin() {
    if (this.videoId === null && !this.#options.token) {
      const title = this.#options.title ?? this.file.name;
      this.#created(await this.#askUntilAnswered("POST", "videos", { title }));
    } else if (this.videoId !== null && !this.#options.token) {
      await this.#learnHeld();
    }
  }

  #created(/** @type {Video} */ video) {
    this.videoId = video.videoId;
    this.dispatchEvent(new Event("created"));
  }

  async #learnHeld() {
    const { mode, total, pieces } = await this.#askUntilAnswered("GET", `-/videos/${this.videoId}/parts`, undefined);
    if ((total !== null && mode !== "part" && total !== this.totalBytes) || (pieces.length && mode !== "bytes"))
      throw new UploadError("This is not the upload that was started with this file.", { slug: "file-changed" });
    this.held = pieces.map((/** @type {any} */ piece) => [piece.from, piece.to + 1]);
    this.#report(true);
  }

  #planAnew() {
    const taken = [...this.held, ...this.#again, ...Array.from(this.flights, (flight) => flight.span)];
    this.#plan = plan(this.totalBytes, taken, this.#index, () => this.#size);
  }

  /** The span that comes next, which stays the next one. */
  #peek() {
    const span = this.#again[0] ?? this.#plan.next().value;
    if (span && !this.#again.length) this.#again.push(span);
    return span;
  }

  async #worker() {
    while (await this.#sendNext());
  }

  /** Sends one piece until it is acknowledged; false when there is none left. */
  async #sendNext() {
    await this.#open();
    const span = this.#again.shift() ?? this.#plan.next().value;
    if (!span) return false;
    const started = performance.now();
    try {
      const answer = await this.#send(span);
      if (!this.held.some(([from]) => from === span[0])) this.held.push(span);
      this.#attempt = this.#relists = 0;
      if (this.videoId === null) this.#created(answer);
      if (answer.assets) this.video = answer;
      this.#adapt(span[1] - span[0], performance.now() - started);
    } catch (reason) {
      const error = asUploadError(reason);
      if (error.slug.endsWith("range-overlap") && this.#relists < 3) {
        this.#relists += 1;
        await this.#learnHeld();
        this.#planAnew();
      } else if (error.passing) {
        this.#again.push(span);
        if (error !== LANDED) {
          await this.#readable(span);
          this.#waitAfter(error);
        }
      } else throw error;
    }
    this.#report(true);
    return true;
  }

  /** Larger pieces while they are quick, smaller ones when a pause would throw much away. */
  #adapt(/** @type {number} */ length, /** @type {number} */ ms) {
    if (ms < 4_000 && length >= this.#size / 2) this.#size = Math.min(32 * MiB, this.#size * 2);
    else if (ms > 16_000) this.#size = Math.max(8 * MiB, this.#size / 2);
  }

  /** A file that was changed or moved looks like a broken network to XHR; reading it tells. */
  async #readable(/** @type {Span} */ [from]) {
    await this.file
      .slice(from, from + 1)
      .arrayBuffer()
      .catch(() => {
        throw new UploadError("The file was changed, moved or deleted since it was chosen.", { slug: "file-changed" });
      });
  }

  #send(/** @type {Span} */ span) {
    const [from, to] = span;
    const { server, token, apiKey, idempotencyKey } = this.#options;
    const form = new FormData();
    if (token && this.videoId) form.append("videoId", this.videoId);
    form.append("file", this.file.slice(from, to), this.file.name);
    const path = token ? `upload?token=${encodeURIComponent(token)}` : `videos/${this.videoId}/source`;
    const headers = /** @type {Record<string, string>} */ ({});
    headers["Content-Range"] = `bytes ${from}-${to - 1}/${this.totalBytes}`;
    if (apiKey && !token) headers.Authorization = basic(apiKey);
    if (token && !this.videoId) headers["Idempotency-Key"] = idempotencyKey;
    const { answer, abort } = post(new URL(path, server), headers, form, (loaded) => {
      const now = Math.min(loaded, to - from);
      this.#wireBytes += now - flight.loaded;
      flight.loaded = now;
      this.#report();
    });
    const flight = { span, loaded: 0, abort, landed: false };
    this.flights.add(flight);
    return answer
      .catch((error) => {
        throw flight.landed ? LANDED : error;
      })
      .finally(() => this.flights.delete(flight));
  }

  /** @returns {Promise<any>} the JSON of a small request, tried until there is an answer */
  async #askUntilAnswered(
    /** @type {string} */ method,
    /** @type {string} */ path,
    /** @type {object | undefined} */ json,
  ) {
    const { server, apiKey, idempotencyKey } = this.#options;
    const headers = new Headers();
    if (apiKey) headers.set("Authorization", basic(apiKey));
    if (json) headers.set("Content-Type", "application/json");
    if (json) headers.set("Idempotency-Key", idempotencyKey);
    for (;;) {
      await this.#open();
      let error = refusal(0, "");
      try {
        const init = { method, headers, body: json && JSON.stringify(json), signal: this.#stop.signal };
        const answer = await fetch(new URL(path, server), init);
        const text = await answer.text();
        const value = answer.ok ? parsed(text) : null;
        if (value) return value;
        error = refusal(answer.status, text);
      } catch (reason) {
        if (!(reason instanceof TypeError)) throw reason;
      }
      if (!error.passing) throw error;
      this.#waitAfter(error);
    }
  }

  /** One wait for all workers: whoever fails first sets the clock, `#open()` holds the others. */
  #waitAfter(/** @type {UploadError} */ error) {
    if (this.state !== "sending") return;
    const ms = Math.min(30_000, 500 * 2 ** this.#attempt) * (0.75 + Math.random() / 2);
    this.#attempt = Math.min(10, this.#attempt + 1);
    this.error = error;
    this.retryAt = Date.now() + ms;
    this.#retryTimer = setTimeout(() => this.retryNow(), ms);
    this.#become("retrying");
  }

  /** Resolves while sending is allowed; waits through pauses and retries. */
  async #open() {
    while (this.state === "paused" || this.state === "retrying") {
      await new Promise((go) => this.#waiters.push(/** @type {() => void} */ (go)));
    }
    if (this.state !== "sending") throw this.error ?? CANCELLED;
  }

  #go() {
    this.error = null;
    this.#become("sending");
  }

  #become(/** @type {Upload["state"]} */ state) {
    this.state = state;
    this.#samples = [];
    if (state !== "retrying") {
      clearTimeout(this.#retryTimer);
      this.retryAt = null;
      this.#waiters.splice(0).forEach((go) => go());
    }
    this.dispatchEvent(new Event("state"));
    this.#report(true);
  }

  #land() {
    for (const flight of [...this.flights]) {
      flight.landed = true;
      flight.abort();
    }
  }

  #end() {
    this.#stop.abort();
    this.#land();
  }

  #report(always = false) {
    const now = performance.now();
    if (!always && now - this.#reportedAt < 100) return;
    this.#reportedAt = now;
    this.#samples.push([now, this.#wireBytes]);
    while (now - this.#samples[0][0] > RATE_WINDOW_MS) this.#samples.shift();
    this.dispatchEvent(new Event("progress"));
  }
}

function asUploadError(/** @type {unknown} */ reason) {
  if (reason instanceof UploadError) return reason;
  if (reason instanceof RangeError)
    return new UploadError("This upload can't be completed from here: a gap in it is too small to be sent.");
  return new UploadError(reason instanceof Error ? reason.message : String(reason));
}
