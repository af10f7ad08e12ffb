/** Captions and chapters, from files beside the video. */
import { here } from "./address.js";
import { $, put } from "./dom.js";
import { config, video, wishes } from "./stage.js";

/**
 * @typedef {object} TextTrackConfig
 * @property {"captions" | "chapters"} kind
 * @property {string} srclang
 * @property {string} label the language's own name
 * @property {string} src
 * @property {boolean} default
 */

const captions = config.tracks.filter(({ kind }) => kind === "captions");
const chapters = preferred(config.tracks.filter(({ kind }) => kind === "chapters"));

/** @type {{ track: TextTrackConfig, element: HTMLTrackElement }[]} */
let placed = [];

/** Puts the tracks into the video, anew if they are there: a track that was emptied is never read again. */
export function placeTracks() {
  const shown = placed.length ? placed.find(({ element }) => element.track.mode === "showing")?.track : firstShown();
  for (const { element } of placed) element.remove();
  placed = [...captions, ...(chapters ? [chapters] : [])].map((track) => ({ track, element: elementOf(track) }));
  video.append(...placed.map(({ element }) => element));
  for (const { track, element } of placed)
    element.track.mode = track === shown ? "showing" : "hidden";
}

/** The captions to begin with, if any. */
function firstShown() {
  return captions.find((track) => track.default) ?? (wishes.showSubtitles ? preferred(captions) : undefined);
}

/** The track in the language that the viewer reads best, else the first. */
function preferred(/** @type {TextTrackConfig[]} */ tracks) {
  const base = (/** @type {string} */ tag) => tag.toLowerCase().split("-")[0];
  for (const wanted of navigator.languages) {
    const found =
      tracks.find(({ srclang }) => srclang.toLowerCase() === wanted.toLowerCase()) ??
      tracks.find(({ srclang }) => base(srclang) === base(wanted));
    if (found) return found;
  }
  return tracks[0];
}

function elementOf(/** @type {TextTrackConfig} */ track) {
  const { kind, srclang, label } = track;
  const element = Object.assign(document.createElement("track"), { kind, srclang, label, src: here(track.src) });
  if (kind === "chapters") element.addEventListener("load", () => listChapters(element.track));
  return element;
}

/** A menu of the chapters, the one that plays being checked. */
function listChapters(/** @type {TextTrack} */ track) {
  const menu = $("chapters");
  const cues = /** @type {VTTCue[]} */ ([...(track.cues ?? [])]);
  const items = cues.map((cue) => {
    const item = document.createElement("media-chrome-menu-item");
    item.setAttribute("type", "radio");
    item.setAttribute("value", String(cue.startTime));
    item.textContent = cue.text;
    return item;
  });
  menu.replaceChildren(...items);
  menu.onchange = () => (video.currentTime = Number(menu.value));
  $("chapters-button").hidden = !items.length;
  $("chapter").hidden = !items.length;
  track.oncuechange = () => {
    const now = /** @type {VTTCue | undefined} */ (track.activeCues?.[0]);
    put($("chapter"), now?.text ?? "");
    items.forEach((item, at) => item.setAttribute("aria-checked", String(cues[at].startTime === now?.startTime)));
  };
  track.oncuechange(new Event("cuechange"));
}
