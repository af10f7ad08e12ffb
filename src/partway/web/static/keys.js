/** Keys work wherever the focus is, as one expects of a page that is nothing but a player. */
import { controller, hasControls } from "./stage.js";

export function takeKeys() {
  addEventListener("keydown", (event) => {
    const { target, key, ctrlKey, metaKey, altKey } = event;
    if (target !== document.body || !hasControls || controller.hidden || ctrlKey || metaKey || altKey) return;
    controller.keyboardShortcutHandler(event);
    if (key === " " || key.startsWith("Arrow")) event.preventDefault();
  });
}
