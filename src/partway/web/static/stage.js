/** What the player page is made of, and what it was told about its video. */
import { $ } from "./dom.js";
import { wishesIn, wishesUnder } from "./wishes.js";

/**
 * Every address is as the page has to ask for it: a private video's carries its viewer session.
 *
 * @typedef {object} Config
 * @property {string} videoId
 * @property {string} title
 * @property {string} page
 * @property {string} hls
 * @property {string | null} mp4
 * @property {string} status
 * @property {string} poster
 * @property {boolean} playable
 * @property {string | null} reason
 * @property {import("./text-tracks.js").TextTrackConfig[]} tracks
 * @property {import("./theme.js").Theme | null} theme
 */

/** @type {Config} */
export const config = JSON.parse(
  /** @type {HTMLMetaElement} */ (document.querySelector("meta[name=partway-video]")).content,
);
export const wishes = wishesUnder(wishesIn(location.hash), config.theme);
export const video = /** @type {HTMLVideoElement} */ ($("video"));
export const controller = $("controller");
export const Hls = /** @type {any} */ (globalThis).Hls;
export const hasControls = customElements.get("media-controller") !== undefined;
