/** The strip that shows which bytes of a file have arrived, and which are on their way. */

const WIDTH = 1000;
/** So that the index of a long film, a thousandth of it, can be seen to have arrived. */
const LEAST = 4;
const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {HTMLElement} strip a `role="progressbar"` with an `<svg>` in it
 * @param {number} total @param {[number, number][]} held
 * @param {{ span: [number, number], loaded: number }[]} flights
 */
export function paint(strip, total, held, flights) {
  const svg = /** @type {SVGElement} */ (strip.querySelector("svg"));
  const bars = joined(held).map(([from, to]) => bar("held", from, to, total));
  for (const { span, loaded } of flights)
    bars.push(bar("flying", span[0], span[1], total), bar("sent", span[0], span[0] + loaded, total));
  svg.replaceChildren(...bars);
  const here = held.reduce((sum, [from, to]) => sum + to - from, 0) + flights.reduce((sum, one) => sum + one.loaded, 0);
  strip.setAttribute("aria-valuenow", String(Math.floor((100 * here) / (total || 1))));
}

function bar(
  /** @type {string} */ kind,
  /** @type {number} */ from,
  /** @type {number} */ to,
  /** @type {number} */ total,
) {
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", kind);
  rect.setAttribute("x", String(Math.min(WIDTH - LEAST, (WIDTH * from) / (total || 1))));
  rect.setAttribute("width", String(Math.max(LEAST, (WIDTH * (to - from)) / (total || 1))));
  rect.setAttribute("height", "10");
  return rect;
}

/** Neighbours as one, so that a finished strip has no seams. */
function joined(/** @type {[number, number][]} */ spans) {
  const runs = /** @type {[number, number][]} */ ([]);
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    const last = runs.at(-1);
    if (last && last[1] >= from) last[1] = Math.max(last[1], to);
    else runs.push([from, to]);
  }
  return runs;
}
