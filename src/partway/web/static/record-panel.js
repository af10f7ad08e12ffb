/** Recording on the page: choose, preview, record, and the link to watch it at meanwhile. */
import { here } from "./address.js";
import { $, copy, put, say } from "./dom.js";
import { bytes, clock } from "./format.js";
import { PartSender } from "./part-sender.js";
import { MiB } from "./pieces.js";
import {
  Recording,
  canShareScreen,
  close,
  devices,
  openCamera,
  openMicrophone,
  openScreen,
  refusalOf,
  whyNot,
} from "./recorder.js";

/** @typedef {import("./server.js").Server} Server */

/** What may wait for the server before the recording pauses. Half of it lets the recording go on. */
const MOST_WAITING = 512 * MiB;
const POLL_MS = 1_000;
const POLL_MOST_MS = 5_000;
const NO_MICROPHONE = "none";
const STAMP = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hour12: false });

export class RecordPanel {
  /** @type {"shut" | "choosing" | "ready" | "recording" | "sending" | "over"} */
  #stage = "shut";
  /** @type {"camera" | "screen"} */
  #source = "camera";
  /** @type {MediaStream | null} */
  #picture = null;
  /** @type {MediaStream | null} */
  #voice = null;
  /** @type {Recording | null} */
  #recording = null;
  /** @type {PartSender | null} */
  #sender = null;
  #isPlayable = false;
  #opening = 0;
  #words = "";
  /** @type {number | undefined} */
  #tick;
  /** @type {any} */
  #lock = null;

  /** @param {Server} server @param {() => void} onChange when a video came, became playable or grew complete */
  constructor(server, onChange) {
    this.server = server;
    this.onChange = onChange;
    $("record-open").onclick = () => this.open();
    $("record-close").onclick = () => this.shut();
    $("record-camera").onclick = () => this.#prepare("camera");
    $("record-screen").onclick = () => this.#prepare("screen");
    $("record-start").onclick = () => this.#start();
    $("record-stop").onclick = () => this.#recording?.stop();
    $("record-again").onclick = () => this.#sender?.retryNow();
    $("record-copy").onclick = () => copy($("record-watch").href, $("record-copy"));
    for (const name of ["record-cameras", "record-microphones"])
      $(name).onchange = () => this.#prepare(this.#source, true);
    addEventListener("online", () => this.#sender?.retryNow());
    addEventListener("beforeunload", (event) => {
      if (this.isBusy) event.preventDefault();
    });
  }

  /** Whether something would be lost if the page went away now. */
  get isBusy() {
    return this.#stage === "recording" || this.#stage === "sending";
  }

  open() {
    $("record").hidden = false;
    if (this.#stage === "shut") this.#become("choosing");
    $("record").scrollIntoView({ block: "nearest" });
    const why = whyNot();
    for (const name of ["record-camera", "record-screen"]) $(name).disabled = Boolean(why);
    if (!why && !canShareScreen()) $("record-screen").hidden = true;
    this.#tell(why ?? "", "bad");
    $(why ? "record-close" : "record-camera").focus();
  }

  /** Closes the panel and lets go of camera and microphone; what is being recorded ends here, and is still sent. */
  shut() {
    this.#recording?.stop();
    this.#release();
    $("record").hidden = true;
    if (!this.isBusy) this.#become("shut");
    $("record-open").focus();
  }

  /** Opens the devices and shows what they see. */
  async #prepare(/** @type {"camera" | "screen"} */ source, isChange = false) {
    const opening = ++this.#opening;
    const [camera, microphone] = [$("record-cameras").value, this.#microphone(isChange)];
    const keepsScreen = isChange && source === "screen";
    if (!keepsScreen) close(this.#picture);
    close(this.#voice);
    this.#voice = null;
    this.#tell(source === "camera" ? "Waiting for the camera" : "Waiting for the screen");
    try {
      let picture = this.#picture;
      if (source === "camera") picture = await openCamera(camera, microphone);
      else if (!keepsScreen) picture = await openScreen();
      if (opening !== this.#opening || this.#stage === "shut") return close(picture);
      this.#picture = picture;
      this.#source = source;
      if (source === "screen" && microphone) this.#voice = await openMicrophone(microphone);
      await this.#offerDevices();
    } catch (error) {
      if (opening !== this.#opening) return undefined;
      if (!keepsScreen || !this.#picture) {
        this.#release();
        this.#become("choosing");
      }
      this.#tell(refusalOf(error), "bad");
      return say(refusalOf(error));
    }
    const preview = $("record-preview");
    preview.srcObject = this.#picture;
    preview.classList.toggle("mirrored", source === "camera");
    await preview.play().catch(() => null);
    for (const track of this.#picture?.getVideoTracks() ?? [])
      track.addEventListener("ended", () => this.#stage === "ready" && this.#lost());
    if (!$("record-name").value) $("record-name").value = `Recording, ${STAMP.format(new Date())}`;
    this.#become("ready");
    this.#tell(source === "screen" ? "Ready to record the screen" : "Ready to record");
    return isChange ? undefined : $("record-start").focus();
  }

  /** A microphone's id; null is any, "" is none. With a screen the voice is a wish, with a camera the rule. */
  #microphone(/** @type {boolean} */ isChange) {
    const { value } = $("record-microphones");
    if (!isChange) return null;
    return value === NO_MICROPHONE ? "" : value;
  }

  async #offerDevices() {
    const [cameras, microphones] = await Promise.all([devices("videoinput"), devices("audioinput")]);
    const heard = (this.#voice ?? this.#picture)?.getAudioTracks()[0]?.getSettings().deviceId ?? NO_MICROPHONE;
    const seen = this.#picture?.getVideoTracks()[0]?.getSettings().deviceId ?? "";
    const isScreen = this.#source === "screen";
    const named = microphones.map(({ deviceId, label }) => [deviceId, label || "Microphone"]);
    const silence = isScreen && !this.#voice;
    fill($("record-microphones"), [[NO_MICROPHONE, "No microphone"], ...named], silence ? NO_MICROPHONE : heard);
    fill($("record-cameras"), cameras.map(({ deviceId, label }) => [deviceId, label || "Camera"]), seen);
    $("record-cameras-line").hidden = isScreen || cameras.length < 2;
  }

  #lost() {
    this.#release();
    this.#become("choosing");
    this.#tell("The picture ended. Choose again what to record.", "bad");
  }

  #start() {
    const title = $("record-name").value.trim() || "Recording";
    const recording = new Recording(/** @type {MediaStream} */ (this.#picture), this.#voice);
    const sender = new PartSender({ apiKey: this.server.apiKey ?? "", title });
    this.#recording = recording;
    this.#sender = sender;
    this.#isPlayable = false;
    this.#words = "";
    recording.addEventListener("chunk", (event) => {
      sender.add(/** @type {any} */ (event).data);
      if (sender.waitingBytes > MOST_WAITING) recording.pause();
    });
    recording.addEventListener("end", () => this.#ended());
    sender.addEventListener("created", () => {
      this.onChange();
      void this.#awaitPlayable(sender);
    });
    sender.addEventListener("progress", () => {
      if (recording.isPaused && sender.waitingBytes < MOST_WAITING / 2) recording.resume();
    });
    sender.addEventListener("state", () => this.#show());
    recording.start();
    void this.#send(sender);
    this.#become("recording");
    this.#tick = setInterval(() => this.#show(), 500);
    void this.#stayAwake();
    say("Recording.");
    $("record-stop").focus();
  }

  async #send(/** @type {PartSender} */ sender) {
    await sender.start();
    if (sender.state === "failed") {
      say(`The recording can't be sent: ${sender.error?.title}`);
      const done = () => sender.state === "done" && (sender.removeEventListener("state", done), this.#sent());
      sender.addEventListener("state", done);
    } else this.#sent();
  }

  #ended() {
    this.#release();
    if (this.#sender?.state === "done") return;
    this.#become("sending");
    this.#sender?.finish();
    say("The recording has ended; the rest of it is being sent.");
  }

  #sent() {
    clearInterval(this.#tick);
    $("record-name").value = "";
    this.#become("over");
    say("All of the recording is there.");
    this.onChange();
  }

  /** Asks for the status until the video can be watched, soon at first. */
  async #awaitPlayable(/** @type {PartSender} */ sender) {
    let pause = POLL_MS;
    while (sender === this.#sender && !this.#isPlayable) {
      pause = Math.min(POLL_MOST_MS, pause * 1.2);
      await new Promise((go) => setTimeout(go, pause));
      if (!sender.heldBytes || sender.state === "waiting") continue;
      const { videoId, assets } = /** @type {import("./uploader.js").Video} */ (sender.video);
      const status = await this.server.ask("GET", `videos/${videoId}/status`).catch(() => null);
      if (sender !== this.#sender) return;
      if (status?.encoding.playable) {
        this.#isPlayable = true;
        $("record-watch").href = here(assets?.player ?? "");
        say("The recording can be watched now.");
        this.onChange();
      } else if (sender.state === "done" && status?.partway?.state === "failed") {
        this.#words = status.partway.reason;
        return this.#show();
      }
      this.#show();
    }
  }

  #release() {
    close(this.#picture, this.#voice);
    this.#picture = this.#voice = null;
    $("record-preview").srcObject = null;
    void this.#lock?.release().catch(() => null);
    this.#lock = null;
  }

  /** A phone that goes to sleep takes the camera away. */
  async #stayAwake() {
    this.#lock = await /** @type {any} */ (navigator).wakeLock?.request("screen").catch(() => null);
  }

  #become(/** @type {RecordPanel["#stage"]} */ stage) {
    this.#stage = stage;
    $("record").dataset.stage = stage;
    this.#show();
  }

  #tell(/** @type {string} */ words, tone = "") {
    $("record").dataset.tone = tone;
    put($("record-state"), words);
  }

  #show() {
    const [stage, sender] = [this.#stage, this.#sender];
    const shown = {
      "record-choices": stage === "choosing" || stage === "over",
      "record-view": stage === "ready" || stage === "recording",
      "record-wishes": stage === "ready",
      "record-start": stage === "ready",
      "record-stop": stage === "recording",
      "record-close": !this.isBusy,
      "record-again": this.isBusy && (sender?.state === "waiting" || sender?.state === "failed"),
      "record-watch": this.#isPlayable && (this.isBusy || stage === "over"),
      "record-copy": this.#isPlayable && (this.isBusy || stage === "over"),
    };
    for (const [name, isShown] of Object.entries(shown)) {
      if (!isShown && $(name).contains(document.activeElement)) $("record-title").focus();
      $(name).hidden = !isShown;
    }
    if (!sender || !(this.isBusy || stage === "over")) return void put($("record-figures"), "");
    const figures = [bytes(sender.sentBytes) + (this.isBusy ? ` of ${bytes(sender.addedBytes)} sent` : "")];
    if (this.#recording) figures.unshift(clock(this.#recording.seconds));
    put($("record-figures"), figures.join(" · "));
    this.#tell(...this.#state(sender));
  }

  /** @returns {[string, string]} words and tone */
  #state(/** @type {PartSender} */ sender) {
    if (sender.state === "failed")
      return [`The server refuses it: ${sender.error?.title} What was recorded is kept in this page.`, "bad"];
    if (this.#recording?.isPaused)
      return ["Paused: too much waits for the server. It goes on by itself when the server is back.", "bad"];
    const what = { recording: "Recording", sending: "Sending the rest" }[this.#stage] ?? "";
    if (sender.state === "waiting") return [`${what}, and waiting for the server. Nothing is lost`, "wait"];
    if (this.#recording?.error && this.#stage !== "recording") return [this.#recording.error, "bad"];
    if (this.#stage === "over" && this.#isPlayable) return ["Ready to watch", "good"];
    if (this.#stage === "over") return this.#words ? [this.#words, "bad"] : ["Sent, being made playable", "good"];
    return [this.#isPlayable ? `${what}, and can be watched already` : what, "live"];
  }
}

function fill(/** @type {HTMLSelectElement} */ select, /** @type {string[][]} */ options, /** @type {string} */ chosen) {
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value, false, value === chosen)));
}
