/** What is said instead of the picture. */
import { $, put } from "./dom.js";
import { bytes } from "./format.js";
import { controller } from "./stage.js";

/** Says something instead of the picture; null shows the picture. */
export function cover(/** @type {string | null} */ words, detail = "", kind = "waiting", canRetry = false) {
  $("cover").hidden = words === null;
  $("cover").className = `cover ${kind}`;
  controller.hidden = words !== null;
  put($("words"), words ?? "");
  put($("detail"), detail);
  $("retry").hidden = !canRetry;
}

/** Says why there is nothing to play. */
export function explain(/** @type {any} */ status) {
  const arrived = status.receivedBytes ? `${bytes(status.receivedBytes)} so far. ` : "";
  if (status.state === "gone") cover("This video is not here", "It was deleted, or its link is no longer good.", "bad");
  else if (status.state === "empty")
    cover("Nothing has arrived yet", "This page plays the video as soon as it can.", "empty");
  else if (status.state === "receiving")
    cover("Still arriving", `${arrived}This page plays the video as soon as it can.`);
  else if (status.reason) cover("This can't be played", status.reason, "bad");
  else cover("Almost ready", "The video is being made playable.");
}

/** Resolves when somebody asks to try again. */
export const askedAgain = () => new Promise((go) => ($("retry").onclick = go));
