/** What a browser can record: cameras, screens and microphones, as a stream of bytes. No dependency. */

/** Best first. H.264 in MP4 is cut as it is; the others are made playable by the server. */
const TYPES = [
  'video/mp4;codecs="avc1.640028,mp4a.40.2"',
  'video/mp4;codecs="avc1.42E01F,mp4a.40.2"',
  'video/mp4;codecs="avc1.640028,opus"',
  'video/mp4;codecs="avc1.42E01F,opus"',
  'video/webm;codecs="vp9,opus"',
  'video/webm;codecs="vp8,opus"',
  "video/webm",
];

/** A part is 5 MiB: at this rate one is full every eight seconds, and that is how far a viewer is behind. */
const VIDEO_BITS_PER_SECOND = 5_000_000;
const AUDIO_BITS_PER_SECOND = 128_000;
const KEYFRAME_MS = 2_000;
const CHUNK_MS = 500;

const REFUSALS = /** @type {Record<string, string>} */ ({
  NotAllowedError: "The browser did not allow it. Allow it in this site's settings, beside the address, and try again.",
  NotFoundError: "There is no such device.",
  NotReadableError: "The device can't be opened. Perhaps another program uses it.",
  OverconstrainedError: "This device is gone. Choose another one.",
  AbortError: "The device can't be opened.",
});

/** Why nothing can be recorded here, in a sentence; null if it can. */
export function whyNot() {
  if (!isSecureContext)
    return (
      "Recording needs https, or a server on this machine (http://localhost): browsers give the camera to no other page. " +
      "The server speaks https with `partway serve --tls-self-signed`."
    );
  if (!globalThis.MediaRecorder || !navigator.mediaDevices?.getUserMedia) return "This browser can't record.";
  return mimeType() ? null : "This browser records in no form that can be uploaded while it runs.";
}

/** Phones have no screen to share. */
export const canShareScreen = () => Boolean(navigator.mediaDevices?.getDisplayMedia);

/** What to record as; undefined if this browser has nothing that fits. */
export const mimeType = () => TYPES.find((type) => MediaRecorder.isTypeSupported(type));

/** What went wrong with a device, in a sentence. */
export function refusalOf(/** @type {any} */ error) {
  return REFUSALS[error?.name] ?? `It can't be recorded: ${error?.message || error}.`;
}

/**
 * The camera, and with it the microphone unless its id is "".
 *
 * @param {string} camera its id, "" for any @param {string | null} microphone its id, "" for none, null for any
 */
export async function openCamera(camera, microphone) {
  const video = { ...chosen(camera), width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } };
  const wanted = { video, audio: microphone === "" ? false : chosen(microphone ?? "") };
  try {
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    const isMissing = /** @type {any} */ (error).name === "NotFoundError";
    if (!isMissing || microphone !== null) throw error;
    return navigator.mediaDevices.getUserMedia({ video, audio: false });
  }
}

/** A screen, window or tab with the sound that the browser lets us have of it; the person chooses in its dialogue. */
export function openScreen() {
  return navigator.mediaDevices.getDisplayMedia({ video: { frameRate: { ideal: 30 } }, audio: true });
}

/** A microphone alone, to speak over a screen. */
export function openMicrophone(/** @type {string} */ id) {
  return navigator.mediaDevices.getUserMedia({ audio: chosen(id) });
}

const chosen = (/** @type {string} */ id) => (id ? { deviceId: { exact: id } } : {});

/** The cameras or microphones there are; their names are known only after one of them was allowed. */
export async function devices(/** @type {"videoinput" | "audioinput"} */ kind) {
  const all = await navigator.mediaDevices.enumerateDevices();
  return all.filter((one) => one.kind === kind && one.deviceId && one.deviceId !== "communications");
}

export function close(/** @type {(MediaStream | null)[]} */ ...streams) {
  for (const stream of streams) for (const track of stream?.getTracks() ?? []) track.stop();
}

/**
 * One recording. Events: `chunk` (with `data`, a Blob), `end` (nothing more comes; `error` says why, if it was no wish).
 * It ends by itself when the device goes, or when the person stops sharing in the browser's own bar.
 */
export class Recording extends EventTarget {
  /** @type {string} */
  error = "";

  #recorder;
  /** @type {AudioContext | null} */
  #mixer = null;
  #startedAt = 0;
  #recordedMs = 0;

  /** @param {MediaStream} picture @param {MediaStream | null} voice mixed with what sound the picture has */
  constructor(picture, voice) {
    super();
    const tracks = [...picture.getVideoTracks(), ...this.#sound([picture, voice])];
    this.#recorder = new MediaRecorder(new MediaStream(tracks), {
      mimeType: mimeType(),
      videoBitsPerSecond: VIDEO_BITS_PER_SECOND,
      audioBitsPerSecond: AUDIO_BITS_PER_SECOND,
      ...{ videoKeyFrameIntervalDuration: KEYFRAME_MS },
    });
    this.#recorder.ondataavailable = ({ data }) => {
      this.dispatchEvent(Object.assign(new Event("chunk"), { data }));
    };
    this.#recorder.onerror = (event) => {
      this.error = refusalOf(/** @type {any} */ (event).error);
      this.stop();
    };
    this.#recorder.onstop = () => {
      this.#hold();
      void this.#mixer?.close();
      this.dispatchEvent(new Event("end"));
    };
    for (const track of picture.getVideoTracks()) track.addEventListener("ended", () => this.stop());
  }

  /** Of the recording, without its pauses. */
  get seconds() {
    return (this.#recordedMs + (this.#startedAt && performance.now() - this.#startedAt)) / 1000;
  }

  get isPaused() {
    return this.#recorder.state === "paused";
  }

  get isRunning() {
    return this.#recorder.state !== "inactive";
  }

  start() {
    this.#recorder.start(CHUNK_MS);
    this.#startedAt = performance.now();
  }

  pause() {
    if (this.#recorder.state !== "recording") return;
    this.#recorder.pause();
    this.#hold();
  }

  resume() {
    if (!this.isPaused) return;
    this.#recorder.resume();
    this.#startedAt = performance.now();
  }

  stop() {
    if (this.isRunning) this.#recorder.stop();
  }

  #hold() {
    if (this.#startedAt) this.#recordedMs += performance.now() - this.#startedAt;
    this.#startedAt = 0;
  }

  /** A recording has one track of sound; several are mixed. */
  #sound(/** @type {(MediaStream | null)[]} */ streams) {
    const sounding = streams.filter((stream) => stream !== null && stream.getAudioTracks().length);
    if (sounding.length < 2) return sounding.flatMap((stream) => stream?.getAudioTracks() ?? []);
    this.#mixer = new AudioContext();
    const mixed = this.#mixer.createMediaStreamDestination();
    for (const stream of sounding)
      this.#mixer.createMediaStreamSource(/** @type {MediaStream} */ (stream)).connect(mixed);
    return mixed.stream.getAudioTracks();
  }
}
