/** A video's picture, or while there is none a place for it that is told apart at a glance. */
import { here } from "./address.js";

const SVG = "http://www.w3.org/2000/svg";

/** Numbers below one that are always the same for one id (FNV-1a, then xorshift). */
function* numbers(/** @type {string} */ id) {
  let state = 2166136261;
  for (const letter of id) state = Math.imul(state ^ letter.charCodeAt(0), 16777619);
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield (state >>> 0) / 2 ** 32;
  }
}

const TIERS = [
  { y: 0, height: 60, bars: 7 },
  { y: 60, height: 9, bars: 7 },
  { y: 69, height: 21, bars: 5 },
];

/** A test card in one hue, drawn from the video's id. */
export function place(/** @type {string} */ videoId) {
  const next = numbers(videoId);
  const number = () => /** @type {number} */ (next.next().value);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 160 90");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", `place hue-${Math.floor(number() * 6)}`);
  for (const { y, height, bars } of TIERS) {
    const cuts = Array.from({ length: bars - 1 }, (_, at) => (160 * (at + 0.7 + 0.6 * number())) / bars);
    [0, ...cuts].forEach((x, at) => {
      const rect = document.createElementNS(SVG, "rect");
      const shape = {
        x,
        y,
        width: (cuts[at] ?? 160) - x + 0.4,
        height: height + 0.4,
        opacity: (0.05 + 0.9 * number()).toFixed(2),
      };
      for (const [name, value] of Object.entries(shape)) rect.setAttribute(name, String(value));
      svg.append(rect);
    });
  }
  return svg;
}

/** Puts the picture over its place once it has come; a server that has none yet answers with nothing. */
export function hang(/** @type {HTMLElement} */ frame, /** @type {string | undefined} */ url) {
  if (!url || frame.querySelector("img")) return;
  const image = new Image();
  image.alt = "";
  image.decoding = "async";
  image.onload = () => frame.append(image);
  image.src = here(url);
}
