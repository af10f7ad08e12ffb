/**
 * The player page: media-chrome's controls round a `<video>` that hls.js feeds, or the browser itself where it must.
 *
 * The address may carry wishes after `#`, joined by `;`: autoplay, loop, t=10 or t=10,15, hide-title, hide-controls.
 */
import { here } from "./address.js";
import { bytes } from "./format.js";
import { wishesIn } from "./wishes.js";

const POLL_MS = 2_000;
const RETRY_MS = 4_000;
const RECOVERY_HOLDS_MS = 60_000;

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const video = /** @type {HTMLVideoElement} */ ($("video"));
const controller = $("controller");
const config = JSON.parse(/** @type {HTMLMetaElement} */ (document.querySelector("meta[name=partway-video]")).content);
const wishes = wishesIn(location.hash);
const address = here(config.hls);
const Hls = /** @type {any} */ (globalThis).Hls;
const hasControls = customElements.get("media-controller") !== undefined;

/** Says something instead of the picture; null shows the picture. */
function cover(/** @type {string | null} */ words, detail = "", kind = "waiting", canRetry = false) {
  $("cover").hidden = words === null;
  $("cover").className = `cover ${kind}`;
  controller.hidden = words !== null;
  if ($("words").textContent !== words) $("words").textContent = words ?? "";
  $("detail").textContent = detail;
  $("retry").hidden = !canRetry;
}

/** @returns {Promise<any>} what the server says of the video; null while it does not answer */
async function askStatus() {
  const answer = await fetch(here(config.status), { cache: "no-store" }).catch(() => null);
  if (answer?.status === 404) return { state: "gone", playable: false, complete: true };
  return answer?.ok ? answer.json().catch(() => null) : null;
}

const pause = (/** @type {number} */ ms) => new Promise((go) => setTimeout(go, ms));

function explain(/** @type {any} */ status) {
  const arrived = status.receivedBytes ? `${bytes(status.receivedBytes)} so far. ` : "";
  if (status.state === "gone") cover("This video is not here", "It was deleted, or its link is no longer good.", "bad");
  else if (status.state === "empty")
    cover("Nothing has arrived yet", "This page plays the video as soon as it can.", "empty");
  else if (status.state === "receiving")
    cover("Still arriving", `${arrived}This page plays the video as soon as it can.`);
  else if (status.reason) cover("This can't be played", status.reason, "bad");
  else cover("Almost ready", "The video is being made playable.");
}

/** Waits until there is something to play. hls.js takes "not ready yet" for an error, so nothing is loaded before. */
async function untilPlayable() {
  let status = { ...config, state: config.state ?? "receiving" };
  if (config.playable) return;
  for (;;) {
    status = (await askStatus()) ?? status;
    if (status.playable) return;
    explain(status);
    if (status.state === "gone" || status.state === "failed") await pause(10 * POLL_MS);
    await pause(POLL_MS);
  }
}

/** "Still arriving" beside the title until the last byte is there. */
async function watchArrival() {
  for (;;) {
    const status = await askStatus();
    if (status?.complete) break;
    $("arriving").hidden = !status;
    await pause(POLL_MS);
  }
  $("arriving").hidden = true;
}

function playWithHls() {
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
      $("retry").onclick = () => location.reload();
      return void cover("This can't be played", "The browser could not decode the video.", "bad", true);
    }
    // What is buffered plays on meanwhile.
    if (video.readyState <= HTMLMediaElement.HAVE_CURRENT_DATA)
      cover(status ? "The video can't be loaded" : "The server can't be reached", "Trying again.", "waiting", true);
    await Promise.race([pause(RETRY_MS), new Promise((go) => ($("retry").onclick = go))]);
    cover(null);
    if (error.details.startsWith("manifest")) hls.loadSource(address);
    else hls.startLoad(position);
  });
  hls.attachMedia(video);
  hls.loadSource(address);
}

/** The browser's own HLS, else the whole file. */
function playPlainly() {
  const sources = video.canPlayType("application/vnd.apple.mpegurl") ? [address] : [];
  if (address.includes("/hls/manifest.m3u8")) sources.push(address.replace("/hls/manifest.m3u8", "/mp4/source.mp4"));
  const playNext = () => {
    const source = sources.shift();
    if (source) video.src = source;
    else cover("This can't be played", "This browser can't play the video by itself.", "bad");
  };
  video.onerror = playNext;
  if (wishes.from)
    video.addEventListener("loadedmetadata", () => (video.currentTime = wishes.from ?? 0), { once: true });
  playNext();
}

function applyWishes() {
  $("head").querySelector("h1").hidden = wishes.hideTitle;
  if (wishes.hideControls) {
    $("foot").hidden = true;
    controller.querySelector(".big").hidden = true;
    controller.setAttribute("gesturesdisabled", "");
  }
  video.controls = !hasControls && !wishes.hideControls;
  video.loop = wishes.loop && wishes.from === null;
  const { from, to } = wishes;
  if (to !== null) {
    let isOver = false;
    video.addEventListener("timeupdate", () => {
      if (isOver || video.currentTime < to) return;
      if (wishes.loop) video.currentTime = from ?? 0;
      else {
        isOver = true;
        video.pause();
      }
    });
  }
  if (wishes.loop && from !== null) {
    video.addEventListener("ended", () => {
      video.currentTime = from;
      video.play().catch(() => {});
    });
  }
}

/** Keys work wherever the focus is, as one expects of a page that is nothing but a player. */
function takeKeys() {
  addEventListener("keydown", (event) => {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    if (target !== document.body || !hasControls || controller.hidden || ctrlKey || metaKey || altKey) return;
    controller.keyboardShortcutHandler(event);
    if (key === " " || key.startsWith("Arrow")) event.preventDefault();
  });
}

async function autoplay() {
  try {
    await video.play();
  } catch {
    video.muted = true;
    await video.play().catch(() => {});
  }
}

async function main() {
  const canFeed = Hls?.isSupported() ?? false;
  if (!Hls || !hasControls) {
    const missing = Hls ? "controls" : hasControls ? "playback library" : "player libraries";
    $("plain").textContent = `This server was built without its ${missing}, so your browser plays the video by itself.`;
    $("plain").hidden = false;
  }
  const poster = new Image();
  poster.onload = () => (video.poster = poster.src);
  if (config.poster) poster.src = here(config.poster);
  applyWishes();
  takeKeys();
  await untilPlayable();
  cover(null);
  if (canFeed) playWithHls();
  else playPlainly();
  if (wishes.autoplay) autoplay();
  await watchArrival();
}

addEventListener("hashchange", () => location.reload());
main();
