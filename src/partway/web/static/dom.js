/** Small things about the document. */

export const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** A copy of a `<template>`'s element, and its `data-f` elements by name. */
export function stamp(/** @type {string} */ template) {
  const root = /** @type {HTMLElement} */ ($(template).content.firstElementChild.cloneNode(true));
  const parts = /** @type {Record<string, any>} */ ({});
  for (const part of root.querySelectorAll("[data-f]")) parts[/** @type {HTMLElement} */ (part).dataset.f ?? ""] = part;
  return { root, parts };
}

/** Has a screen reader say it. */
export function say(/** @type {string} */ words) {
  $("live").textContent = words;
}

/** Writes only what differs, so that nothing is announced or painted twice. */
export function put(/** @type {Element} */ element, /** @type {string} */ words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Asks before something that can't be undone. */
export function sure(/** @type {string} */ title, /** @type {string} */ words, /** @type {string} */ yes) {
  const dialog = $("sure");
  $("sure-title").textContent = title;
  $("sure-words").textContent = words;
  $("sure-yes").textContent = yes;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => {
    dialog.addEventListener("close", () => answer(dialog.returnValue === "yes"), { once: true });
  });
}

/** Copies text; the clipboard API is missing on plain-http pages, where a selection still works. */
export async function copy(/** @type {string} */ text, /** @type {HTMLElement} */ button) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    button.after(area);
    area.select();
    document.execCommand("copy");
    area.remove();
    button.focus();
  }
  say("Copied.");
  button.classList.add("copied");
  setTimeout(() => button.classList.remove("copied"), 1600);
}
