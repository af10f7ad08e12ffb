/** Elements, and the little of Markdown that a description uses. */

/** An element with its attributes and children. */
export function make(/** @type {string} */ name, /** @type {Record<string, string>} */ attributes, /** @type {(Node | string)[]} */ ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** Text in which what stands between backticks is code. */
export const marked = (/** @type {string} */ text) =>
  text.split(/`+/).map((part, number) => (number % 2 ? make("code", {}, part) : part));
