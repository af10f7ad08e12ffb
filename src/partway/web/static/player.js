/**
 * The player page: media-chrome's controls round a `<video>` that hls.js feeds, or the browser itself where it must.
 *
 * The address may carry wishes after `#`, joined by `;`: autoplay, loop, t=10 or t=10,15, hide-title, hide-controls,
 * show-subtitles, api.
 */
import { here } from "./address.js";
import { untilPlayable, watchArrival } from "./arrival.js";
import { cover } from "./cover.js";
import { $ } from "./dom.js";
import { playPlainly, playWithHls } from "./feed.js";
import { takeKeys } from "./keys.js";
import { obey } from "./remote.js";
import { Hls, config, controller, hasControls, video, wishes } from "./stage.js";
import { wear } from "./theme.js";

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

async function autoplay() {
  try {
    await video.play();
  } catch {
    video.muted = true;
    await video.play().catch(() => {});
  }
}

function sayWhatIsMissing() {
  if (Hls && hasControls) return;
  const missing = Hls ? "controls" : hasControls ? "playback library" : "player libraries";
  $("plain").textContent = `This server was built without its ${missing}, so your browser plays the video by itself.`;
  $("plain").hidden = false;
}

function hangPoster() {
  const poster = new Image();
  poster.onload = () => (video.poster = poster.src);
  poster.src = here(config.poster);
}

async function main() {
  sayWhatIsMissing();
  wear(config.theme);
  applyWishes();
  hangPoster();
  takeKeys();
  obey();
  await untilPlayable();
  cover(null);
  if (Hls?.isSupported()) playWithHls();
  else playPlainly();
  if (wishes.autoplay) autoplay();
  await watchArrival();
}

addEventListener("hashchange", () => {
  // A private video's own address has been used up: its session's still opens it.
  if (location.search === new URL(config.page, location.href).search) location.reload();
  else location.replace(here(config.page) + location.hash);
});
main();
