/** What feeds the `<video>`: hls.js, or the browser itself where it must. */
import { here } from "./address.js";
import { askStatus, pause } from "./arrival.js";
import { askedAgain, cover, explain } from "./cover.js";
import { Hls, config, video, wishes } from "./stage.js";
import { placeTracks } from "./text-tracks.js";

const RETRY_MS = 4_000;
const RECOVERY_HOLDS_MS = 60_000;

const address = here(config.hls);

export function playWithHls() {
  const hls = new Hls({ startPosition: wishes.from ?? 0, backBufferLength: 60, capLevelToPlayerSize: true });
  const errors = /** @type {object[]} */ ([]);
  // For a person at the browser's console, and for tests.
  Object.assign(globalThis, { partway: { hls, errors } });
  let recoveries = 0;
  let recoveredAt = 0;
  hls.on(Hls.Events.ERROR, async (/** @type {string} */ _, /** @type {any} */ error) => {
    // A seek aborts what was being fetched: that is no error.
    if (error.details !== "aborted") errors.push({ type: error.type, details: error.details, fatal: error.fatal });
    if (!error.fatal) return;
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      if (Date.now() - recoveredAt > RECOVERY_HOLDS_MS) recoveries = 0;
      recoveredAt = Date.now();
      recoveries += 1;
      if (recoveries === 2) hls.swapAudioCodec();
      if (recoveries <= 2) return void hls.recoverMediaError();
    }
    const position = video.currentTime;
    hls.stopLoad();
    const status = await askStatus();
    if (status && !status.playable) return void explain(status);
    if (error.type === Hls.ErrorTypes.MEDIA_ERROR) {
      cover("This can't be played", "The browser could not decode the video.", "bad", true);
      await askedAgain();
      return void location.reload();
    }
    // What is buffered plays on meanwhile.
    if (video.readyState <= HTMLMediaElement.HAVE_CURRENT_DATA)
      cover(status ? "The video can't be loaded" : "The server can't be reached", "Trying again.", "waiting", true);
    await Promise.race([pause(RETRY_MS), askedAgain()]);
    cover(null);
    if (error.details.startsWith("manifest")) hls.loadSource(address);
    else hls.startLoad(position);
  });
  // hls.js empties every text track when it takes or leaves the element, and when it begins with a manifest.
  hls.on(Hls.Events.MANIFEST_LOADED, placeTracks);
  hls.on(Hls.Events.MEDIA_ATTACHED, placeTracks);
  hls.attachMedia(video);
  hls.loadSource(address);
}

/** The browser's own HLS, else the whole file. */
export function playPlainly() {
  const sources = video.canPlayType("application/vnd.apple.mpegurl") ? [address] : [];
  if (config.mp4) sources.push(here(config.mp4));
  const playNext = () => {
    const source = sources.shift();
    if (source) video.src = source;
    else cover("This can't be played", "This browser can't play the video by itself.", "bad");
  };
  video.onerror = playNext;
  if (wishes.from)
    video.addEventListener("loadedmetadata", () => (video.currentTime = wishes.from ?? 0), { once: true });
  placeTracks();
  playNext();
}
