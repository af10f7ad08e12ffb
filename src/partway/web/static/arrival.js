/** Where the video stands, asked again and again while that may change. */
import { here } from "./address.js";
import { explain } from "./cover.js";
import { $ } from "./dom.js";
import { config } from "./stage.js";

const POLL_MS = 2_000;

export const pause = (/** @type {number} */ ms) => new Promise((go) => setTimeout(go, ms));

/** @returns {Promise<any>} what the server says of the video; null while it does not answer */
export async function askStatus() {
  const answer = await fetch(here(config.status), { cache: "no-store" }).catch(() => null);
  if (answer?.status === 404) return { state: "gone", playable: false, complete: true };
  return answer?.ok ? answer.json().catch(() => null) : null;
}

/** Waits until there is something to play. hls.js takes "not ready yet" for an error, so nothing is loaded before. */
export async function untilPlayable() {
  if (config.playable) return;
  let status = /** @type {any} */ ({ ...config, state: "receiving" });
  for (;;) {
    status = (await askStatus()) ?? status;
    if (status.playable) return;
    explain(status);
    if (status.state === "gone" || status.state === "failed") await pause(10 * POLL_MS);
    await pause(POLL_MS);
  }
}

/** "Still arriving" beside the title until the last byte is there. */
export async function watchArrival() {
  for (;;) {
    const status = await askStatus();
    if (status?.complete) break;
    $("arriving").hidden = !status;
    await pause(POLL_MS);
  }
  $("arriving").hidden = true;
}
