/**
 * What a player address asks for after its `#`: words joined by `;`, as api.video's player has them.
 *
 * @typedef {object} Wishes
 * @property {boolean} autoplay
 * @property {boolean} loop
 * @property {boolean} hideTitle
 * @property {boolean} hideControls
 * @property {boolean} showSubtitles
 * @property {boolean} api whether the page that frames the player may steer it
 * @property {number | null} from in seconds
 * @property {number | null} to in seconds
 */

/** @returns {Wishes} unknown and malformed words are ignored */
export function wishesIn(/** @type {string} */ hash) {
  const words = hash
    .replace(/^#/, "")
    .split(";")
    .map((word) => word.trim());
  const [from = null, to = null] = timesIn(words.find((word) => word.startsWith("t=")) ?? "");
  return {
    autoplay: words.includes("autoplay"),
    loop: words.includes("loop"),
    hideTitle: words.includes("hide-title"),
    hideControls: words.includes("hide-controls"),
    showSubtitles: words.includes("show-subtitles"),
    api: words.includes("api"),
    from,
    to,
  };
}

/**
 * What the video's theme insists on, too.
 *
 * @param {Wishes} wishes @param {import("./theme.js").Theme | null} theme
 * @returns {Wishes}
 */
export function wishesUnder(wishes, theme) {
  if (!theme) return wishes;
  return {
    ...wishes,
    autoplay: wishes.autoplay || theme.forceAutoplay,
    loop: wishes.loop || theme.forceLoop,
    hideTitle: wishes.hideTitle || theme.hideTitle,
    hideControls: wishes.hideControls || !theme.enableControls,
    api: wishes.api && theme.enableApi,
  };
}

/** `t=10` or `t=10,15`, in seconds. */
function timesIn(/** @type {string} */ word) {
  const match = /^t=(\d+(?:\.\d+)?)(?:,(\d+(?:\.\d+)?))?$/.exec(word);
  if (!match) return [];
  const [from, to] = [Number(match[1]), match[2] === undefined ? null : Number(match[2])];
  return to !== null && to <= from ? [from] : [from, to];
}
