/** One upload on the page: its strip, its words, its buttons. */
import { here } from "./address.js";
import { $, say, stamp, sure } from "./dom.js";
import { bytes, duration, titleOf } from "./format.js";
import { fingerprint, forget, remember } from "./remembered.js";
import { paint } from "./strip.js";
import { Upload, uuid } from "./uploader.js";

/** @typedef {import("./remembered.js").Begun} Begun */
/** @typedef {import("./uploads.js").Uploads} Uploads */

const WORDS = /** @type {Record<string, string>} */ ({
  "video-source-already-uploaded": "This video has already been uploaded in full.",
  "authentication-invalid-api-key": "The API key is no longer accepted.",
});
const POLL_MS = 1_500;
const POLL_MOST_MS = 15_000;
const EARLY_POLL_MS = 500;
const EARLY_POLL_MOST_MS = 5_000;
const SPOKEN_STEP = 25;

export class UploadRow {
  /** @type {File | null} */
  file = null;
  /** @type {Upload | null} */
  upload = null;
  /** @type {number | undefined} */
  #tick;
  #spoken = 0;
  #startedAt = 0;
  /** The player's address, as soon as there is something to see. */
  #watch = "";

  constructor(/** @type {Uploads} */ uploads, /** @type {Begun} */ one) {
    this.uploads = uploads;
    this.begun = one;
    const { root, parts } = stamp("upload");
    this.root = root;
    this.parts = parts;
    this.parts.name.textContent = one.name;
    this.parts.strip.setAttribute("aria-label", `${one.name}, uploaded`);
    this.parts.again.onclick = () => this.#again();
    this.parts.pause.onclick = () => this.#toggle();
    this.parts.cancel.onclick = () => this.#cancel();
    this.parts.choose.querySelector("input").onchange = (/** @type {any} */ event) => this.#choose(event.target);
    paint(this.parts.strip, one.size, [], []);
    $("uploads").append(this.root);
    uploads.rows.push(this);
  }

  get percent() {
    return Math.floor((100 * (this.upload?.sentBytes ?? 0)) / (this.begun.size || 1));
  }

  get isSending() {
    return ["sending", "retrying", "paused"].includes(this.upload?.state ?? "");
  }

  get isQueued() {
    return this.upload?.state === "ready";
  }

  get isDone() {
    return this.upload?.state === "done";
  }

  get isOver() {
    return ["done", "failed", "cancelled"].includes(this.upload?.state ?? "");
  }

  take(/** @type {File} */ file) {
    const { videoId, idempotencyKey } = this.begun;
    this.file = file;
    this.#watch = "";
    this.upload = new Upload(file, {
      apiKey: this.uploads.server.apiKey ?? "",
      title: titleOf(file.name),
      videoId: videoId ?? undefined,
      idempotencyKey,
    });
    this.upload.addEventListener("created", () => {
      this.#remember(this.upload?.videoId ?? null);
      this.uploads.onChange();
    });
    this.upload.addEventListener("state", () => this.#showState());
    this.upload.addEventListener("progress", () => this.#showProgress());
    this.#show("Waiting its turn", "", { cancel: "Cancel" });
  }

  async start() {
    const upload = /** @type {Upload} */ (this.upload);
    this.#startedAt = Date.now();
    this.#remember(this.begun.videoId);
    say(`${this.begun.name}: uploading.`);
    try {
      const sent = upload.start();
      void this.#awaitEarly(upload);
      const video = await sent;
      forget(this.begun.fingerprint);
      say(`${this.begun.name}: uploaded.`);
      this.uploads.next();
      this.uploads.onChange();
      await this.#awaitPlayable(video);
    } catch (reason) {
      const error = /** @type {import("./uploader.js").UploadError} */ (reason);
      if (upload.state === "failed" && error.slug === "resource-not-found") this.#anew();
      else if (upload.state === "failed") say(`${this.begun.name}: upload failed. ${error.title}`);
    }
    this.uploads.next();
  }

  /** After a reload: how much has arrived, and whether it is still wanted. */
  async recall() {
    const { videoId, size } = this.begun;
    let pieces = [];
    if (videoId) {
      try {
        const status = await this.uploads.server.ask("GET", `videos/${videoId}/status`);
        if (status.ingest?.status === "uploaded" && !this.file) return this.#close();
        ({ pieces } = await this.uploads.server.ask("GET", `-/videos/${videoId}/parts`));
      } catch (reason) {
        if (/** @type {any} */ (reason).status === 404 && !this.file) return this.#close();
      }
    }
    if (this.file) return undefined;
    const held = pieces.map((/** @type {any} */ piece) => [piece.from, piece.to + 1]);
    const arrived = held.reduce((/** @type {number} */ sum, /** @type {number[]} */ [from, to]) => sum + to - from, 0);
    paint(this.parts.strip, size, held, []);
    this.#show("Choose the file again to go on", `${bytes(arrived)} of ${bytes(size)} has arrived`, {
      choose: "",
      cancel: "Cancel",
    });
    return undefined;
  }

  refuse(/** @type {string} */ words) {
    this.#show(words, "", { cancel: "Dismiss" }, "bad");
  }

  #remember(/** @type {string | null} */ videoId) {
    this.begun.videoId = videoId;
    remember(this.begun);
  }

  /** The video was deleted meanwhile: the file is sent again as a new one. */
  #anew() {
    this.begun.videoId = null;
    this.begun.idempotencyKey = uuid();
    this.take(/** @type {File} */ (this.file));
  }

  /** Asks, soon at first and then more rarely, whether what has arrived can be watched while the rest is on its way. */
  async #awaitEarly(/** @type {Upload} */ upload) {
    for (let pause = EARLY_POLL_MS; this.isSending; pause = Math.min(EARLY_POLL_MOST_MS, pause * 1.3)) {
      await new Promise((go) => setTimeout(go, pause));
      if (!upload.held.length || upload.state !== "sending") continue;
      const path = `videos/${upload.videoId}`;
      const status = await this.uploads.server.ask("GET", `${path}/status`).catch(() => null);
      if (!status?.encoding.playable) continue;
      const video = await this.uploads.server.ask("GET", path).catch(() => null);
      if (!video || upload !== this.upload || !this.isSending) return;
      this.#watch = here(video.assets.player);
      say(`${this.begun.name}: can be watched while it arrives.`);
      this.#showState();
      this.uploads.onChange();
      return;
    }
  }

  async #awaitPlayable(/** @type {import("./uploader.js").Video} */ video) {
    const took = `${bytes(this.begun.size)} in ${duration((Date.now() - this.#startedAt) / 1000)}`;
    for (let pause = POLL_MS; this.root.isConnected; pause = Math.min(POLL_MOST_MS, pause * 1.2)) {
      const status = await this.uploads.server.ask("GET", `videos/${video.videoId}/status`).catch(() => null);
      const playable = status?.encoding.playable;
      const reason = status?.partway?.reason;
      if (playable || status?.partway?.state === "failed") {
        this.#watch = playable ? here(video.assets?.player ?? "") : "";
        this.#show(
          playable ? "Ready to watch" : reason,
          took,
          { cancel: "Dismiss" },
          playable ? "good" : "bad",
        );
        return this.uploads.onChange();
      }
      if (status) this.#show(`Uploaded. ${reason ?? "Being made playable"}`, took, { cancel: "Dismiss" }, "good");
      await new Promise((go) => setTimeout(go, pause));
    }
  }

  async #choose(/** @type {HTMLInputElement} */ input) {
    const [file] = input.files ?? [];
    input.value = "";
    if (!file) return;
    const print = await fingerprint(file).catch(() => "");
    if (print === this.begun.fingerprint) {
      this.take(file);
      this.uploads.next();
    } else {
      const words = `“${file.name}” is not the file that was started`;
      say(words);
      this.#show(words, "its name, size, date or beginning differs", { choose: "", cancel: "Cancel" }, "bad");
    }
  }

  #again() {
    if (this.upload?.state === "retrying") return this.upload.retryNow();
    this.take(/** @type {File} */ (this.file));
    return this.uploads.next();
  }

  #toggle() {
    if (this.upload?.state === "paused") this.upload.resume();
    else this.upload?.pause();
    say(`${this.begun.name}: ${this.upload?.state === "paused" ? "paused" : "going on"}.`);
  }

  async #cancel() {
    const { name, videoId } = this.begun;
    if (this.isDone || (!videoId && !this.isSending)) return this.#close();
    const words = `What has arrived of “${name}” will be deleted.`;
    if (!(await sure("Cancel this upload?", words, "Cancel the upload")) || this.isDone) return undefined;
    this.upload?.cancel();
    const id = this.begun.videoId;
    if (id) await this.uploads.server.ask("DELETE", `videos/${id}`).catch(() => null);
    say(`${name}: cancelled.`);
    this.#close();
    this.uploads.onChange();
    return this.uploads.next();
  }

  #close() {
    forget(this.begun.fingerprint);
    clearInterval(this.#tick);
    const focused = this.root.contains(document.activeElement);
    this.root.remove();
    this.uploads.rows.splice(this.uploads.rows.indexOf(this), 1);
    if (focused) $("files").focus();
  }

  #showState() {
    const upload = /** @type {Upload} */ (this.upload);
    clearInterval(this.#tick);
    const { state, error } = upload;
    if (state === "sending") this.#show("Uploading", "", { pause: "Pause", cancel: "Cancel" });
    if (state === "paused") this.#show("Paused", "", { pause: "Resume", cancel: "Cancel" });
    if (state === "done") this.#show("Uploaded", "", { cancel: "Dismiss" }, "good");
    if (state === "failed") {
      const words = WORDS[error?.slug ?? ""] ?? error?.title ?? "";
      const again = error?.slug === "file-changed" ? "" : "Try again";
      this.#show(words, error?.detail ?? "", { again, cancel: "Cancel" }, "bad");
    }
    if (state === "retrying") {
      const count = () => {
        const seconds = Math.max(0, Math.ceil(((upload.retryAt ?? 0) - Date.now()) / 1000));
        const cause = error?.status ? `The server has a problem (${error.status})` : "Waiting for the server";
        this.#show(
          `${cause}, trying again in ${seconds} s`,
          "",
          { again: "Try now", pause: "Pause", cancel: "Cancel" },
          "wait",
        );
      };
      count();
      say(`${this.begun.name}: waiting for the server.`);
      this.#tick = setInterval(count, 500);
    }
    this.uploads.showTitle();
  }

  #showProgress() {
    const upload = /** @type {Upload} */ (this.upload);
    const { sentBytes, totalBytes, bytesPerSecond, secondsLeft, flights, state } = upload;
    const { percent } = this;
    paint(this.parts.strip, totalBytes, upload.held, [...flights]);
    if (!this.isSending) return;
    const figures = [`${bytes(sentBytes)} of ${bytes(totalBytes)}`];
    if (state === "sending" && bytesPerSecond) figures.push(`${bytes(bytesPerSecond)}/s`);
    if (state === "sending" && secondsLeft) figures.push(`${duration(secondsLeft)} left`);
    if (flights.size) figures.push(`${flights.size} ${flights.size === 1 ? "piece" : "pieces"} in flight`);
    this.parts.figures.textContent = figures.join(" · ");
    this.uploads.showTitle();
    if (state === "sending" && percent >= this.#spoken + SPOKEN_STEP && percent < 100) {
      this.#spoken = percent - (percent % SPOKEN_STEP);
      say(`${this.begun.name}: ${this.#spoken} percent.`);
    }
  }

  /** One line of words, one of figures, and which buttons there are under which name. */
  #show(
    /** @type {string} */ words,
    /** @type {string} */ figures,
    /** @type {Record<string, any>} */ buttons,
    tone = "",
  ) {
    this.root.dataset.tone = tone;
    if (this.parts.state.textContent !== words) this.parts.state.textContent = words;
    if (figures || !this.isSending) this.parts.figures.textContent = figures;
    if (this.#watch) this.parts.watch.href = this.#watch;
    this.parts.watch.hidden = !this.#watch;
    for (const name of ["again", "choose", "pause", "cancel"]) {
      const button = this.parts[name];
      const wanted = name in buttons && buttons[name] !== false && !(name === "again" && !buttons[name]);
      if (!wanted && button === document.activeElement) this.parts.cancel.focus();
      button.hidden = !wanted;
      if (wanted && buttons[name] && typeof buttons[name] === "string") button.textContent = buttons[name];
    }
  }
}
