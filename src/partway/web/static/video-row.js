/** One video of the list: its poster place, its state, what can be done with it. */
import { here } from "./address.js";
import { $, copy, put, say, stamp, sure } from "./dom.js";
import { bytes, clock, when } from "./format.js";
import { hang, place } from "./poster.js";

/** @typedef {import("./videos.js").Videos} Videos */

const REST_MOST = 8;
/** An upload that may be finished by hand is offered so when nothing has come for so long; else it is still being sent. */
const QUIET_MS = 10_000;

export class VideoRow {
  /** Nothing will change any more. */
  isFinal = false;
  /** Something may change any second. */
  isMoving = false;

  /** Refreshes to let pass before the next question, and how many of them are left. */
  #rest = 1;
  #left = 1;
  #seen = "";
  #changedAt = Date.now();

  constructor(/** @type {Videos} */ videos, /** @type {any} */ video) {
    this.videos = videos;
    this.video = video;
    const { root, parts } = stamp("video");
    this.root = root;
    this.parts = parts;
    this.parts.poster.append(place(video.videoId));
    this.parts.copy.onclick = () => this.#copy();
    this.parts.delete.onclick = () => this.#delete();
    this.parts.finish.onclick = () => this.#finish();
  }

  show(/** @type {any} */ video) {
    this.video = video;
    put(this.parts.title, video.title || "Untitled");
    for (const link of [this.parts.title, this.parts.poster]) link.href = here(video.assets.player);
    this.parts.copy.setAttribute("aria-label", `Copy link to ${video.title}`);
    this.parts.delete.setAttribute("aria-label", `Delete ${video.title}`);
    this.parts.finish.setAttribute("aria-label", `Finish the upload of ${video.title}`);
  }

  /** Whether it should be asked about at this refresh: what has not changed is asked about ever more rarely. */
  isDue() {
    this.#left -= 1;
    return this.isMoving && this.#left <= 0;
  }

  /** Asks for the status and shows it. A video that is gone leaves the list with the next load. */
  async learn() {
    const status = await this.videos.server.ask("GET", `videos/${this.video.videoId}/status`).catch(() => null);
    if (!status) return;
    const { ingest, encoding, partway } = status;
    const seen = JSON.stringify(status);
    this.#rest = seen === this.#seen ? Math.min(REST_MOST, this.#rest * 2) : 1;
    this.#left = this.#rest;
    if (seen !== this.#seen) this.#changedAt = Date.now();
    this.#seen = seen;
    const state = stateOf(status);
    this.isFinal = state.name === "good";
    this.isMoving = state.isMoving;
    this.root.dataset.state = state.name;
    put(this.parts.state, state.words);
    const facts = [when(this.video.createdAt)];
    const [size, sofar] = [ingest?.filesize, ingest?.status === "uploading" ? partway?.receivedBytes : 0];
    if (size || sofar) facts.push(size && sofar ? `${bytes(sofar)} of ${bytes(size)}` : bytes(size || sofar));
    const [duration, edge] = [encoding.metadata?.duration, state.name === "live" ? partway?.edgeSeconds : 0];
    if (edge) facts.push(duration > edge ? `${clock(edge)} of ${clock(duration)}` : `${clock(edge)} so far`);
    else if (duration) facts.push(clock(duration));
    if (encoding.metadata?.height) facts.push(`${encoding.metadata.width}\u00a0×\u00a0${encoding.metadata.height}`);
    if (!this.video.public) facts.push("private");
    put(this.parts.facts, facts.join(" · "));
    const reason = encoding.playable || state.name === "empty" ? "" : (partway?.reason ?? "");
    this.parts.reason.hidden = !reason;
    put(this.parts.reason, reason);
    this.parts.finish.hidden = !partway?.canFinish || Date.now() - this.#changedAt < QUIET_MS;
    if (encoding.playable) hang(this.parts.poster, this.video.assets.thumbnail);
  }

  async #copy() {
    await copy(this.video.assets.player, this.parts.copy);
    // Whoever got the private address uses it up: the next copy is for somebody else.
    if (!this.video.public) this.show(await this.videos.server.ask("GET", `videos/${this.video.videoId}`));
  }

  async #delete() {
    const { title, videoId } = this.video;
    if (!(await sure("Delete this video?", `“${title}” and everything made from it will be gone for good.`, "Delete")))
      return;
    try {
      await this.videos.server.ask("DELETE", `videos/${videoId}`);
    } catch (reason) {
      const error = /** @type {any} */ (reason);
      if (error.status !== 404) return this.#complain(`It could not be deleted: ${error.title}`);
    }
    say(`${title} was deleted.`);
    const neighbour = this.root.nextElementSibling ?? this.root.previousElementSibling;
    const focus = /** @type {HTMLElement | null} */ (neighbour?.querySelector("h2 a") ?? $("title"));
    this.root.remove();
    focus?.focus();
    await this.videos.load();
  }

  async #finish() {
    try {
      await this.videos.server.ask("POST", `-/videos/${this.video.videoId}/finish`);
      say(`${this.video.title}: the upload is finished.`);
    } catch (reason) {
      const error = /** @type {any} */ (reason);
      return this.#complain(error.detail ?? error.title);
    }
    await this.learn();
  }

  #complain(/** @type {string} */ words) {
    this.parts.reason.hidden = false;
    put(this.parts.reason, words);
    say(words);
  }
}

function stateOf(/** @type {any} */ { ingest, encoding, partway }) {
  const arriving = ingest?.status === "uploading" || ingest?.status === "ingesting";
  if (encoding.playable && arriving) return { name: "live", words: "Arriving, watch now", isMoving: true };
  if (encoding.playable) return { name: "good", words: "Ready", isMoving: false };
  if (ingest === null) return { name: "empty", words: "Empty", isMoving: true };
  if (arriving) return { name: "wait", words: "Arriving", isMoving: true };
  if (partway?.state === "failed") return { name: "bad", words: "Not playable", isMoving: false };
  if (partway?.reason) return { name: "wait", words: "Not playable yet", isMoving: true };
  return { name: "wait", words: "Preparing", isMoving: true };
}
