/** The look that the video's owner has chosen. */
import { here } from "./address.js";
import { $ } from "./dom.js";

/**
 * Colours are as CSS writes them; null leaves the player's own.
 *
 * @typedef {object} Theme
 * @property {Record<string, string | null>} colours by the theme's own names
 * @property {{ src: string, link: string | null } | null} logo
 * @property {boolean} enableApi
 * @property {boolean} enableControls
 * @property {boolean} forceAutoplay
 * @property {boolean} forceLoop
 * @property {boolean} hideTitle
 */

/** What each colour is of, in the style sheet. */
const PROPERTIES = /** @type {Record<string, string>} */ ({
  text: "--time",
  link: "--control",
  linkHover: "--control-hover",
  linkActive: "--play-hover",
  trackPlayed: "--played",
  trackUnplayed: "--buffered",
  trackBackground: "--track",
  backgroundTop: "--shade-top",
  backgroundBottom: "--shade-bottom",
  backgroundText: "--title",
});

export function wear(/** @type {Theme | null} */ theme) {
  if (!theme) return;
  for (const [name, property] of Object.entries(PROPERTIES)) {
    const colour = theme.colours[name];
    if (colour) document.documentElement.style.setProperty(property, colour);
  }
  if (theme.logo) hangLogo(theme.logo);
}

function hangLogo(/** @type {{ src: string, link: string | null }} */ { src, link }) {
  const image = new Image();
  image.src = here(src);
  image.alt = link ? new URL(link).hostname : "";
  const logo = $("logo");
  if (link) {
    // The address of a private video's page opens it: nobody else is to learn it.
    Object.assign(logo, { href: link, target: "_blank", rel: "noopener noreferrer" });
  }
  logo.append(image);
  logo.hidden = false;
}
