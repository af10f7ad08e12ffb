/**
 * The page that frames the player may steer it, if the address says `#api` and the video's theme does not forbid it.
 *
 *     frame.contentWindow.postMessage({ to: "partway", command: "seek", value: 12.5 }, "*");
 *     addEventListener("message", ({ data }) => data.from === "partway" && console.log(data.event, data.currentTime));
 *
 * Commands: play, pause, seek (seconds), volume (0 to 1), rate, mute, unmute, state. Every message from the player has
 * the whole state; `event` says why it was sent: ready, state, or what a `<video>` calls it. See docs/how-to/embed.md.
 */
import { config, video, wishes } from "./stage.js";

const EVENTS = ["loadedmetadata", "play", "pause", "ended", "seeked", "timeupdate", "volumechange", "ratechange"];

/** @type {Record<string, (value: number) => unknown>} */
const COMMANDS = {
  play: () => video.play().catch(() => tell("pause")),
  pause: () => video.pause(),
  seek: (seconds) => (video.currentTime = Math.max(0, seconds)),
  volume: (volume) => (video.volume = Math.min(1, Math.max(0, volume))),
  rate: (rate) => (video.playbackRate = Math.min(4, Math.max(0.25, rate))),
  mute: () => (video.muted = true),
  unmute: () => (video.muted = false),
  state: () => tell("state"),
};
const NUMBERED = ["seek", "volume", "rate"];

export function obey() {
  if (!wishes.api || parent === window) return;
  addEventListener("message", ({ source, data }) => {
    // Nobody but the page that frames us.
    if (source !== parent || data?.to !== "partway" || !Object.hasOwn(COMMANDS, data.command)) return;
    if (NUMBERED.includes(data.command) && !Number.isFinite(data.value)) return;
    COMMANDS[data.command](data.value);
  });
  for (const event of EVENTS) video.addEventListener(event, () => tell(event));
  tell("ready");
}

/** Anybody who frames the player may know this. */
function tell(/** @type {string} */ event) {
  const { currentTime, duration, paused, ended, muted, volume, playbackRate } = video;
  const state = { currentTime, duration: Number.isFinite(duration) ? duration : null, paused, ended, muted, volume };
  parent.postMessage({ from: "partway", event, videoId: config.videoId, ...state, rate: playbackRate }, "*");
}
