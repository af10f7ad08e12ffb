/** JSON Schema in words. */
import { make, marked } from "./docs-words.js";

const LIMITS = { minimum: "at least", maximum: "at most", maxLength: "characters at most", maxItems: "items at most", default: "default" };

/** A schema's kind in a word or a few: plain text, whole number, one of ... */
export function kindOf(/** @type {any} */ schema) {
  if (schema.enum) return `one of ${schema.enum.join(", ")}`;
  if ("const" in schema) return String(schema.const);
  if (schema.format === "date-time") return "moment";
  if (schema.format === "binary") return "bytes";
  return { string: "text", integer: "whole number", number: "number", boolean: "true or false", array: "list", object: "object" }[schema.type] ?? "anything";
}

/** The same with links to named shapes. @returns {Node} */
export function inWords(/** @type {any} */ schema) {
  const span = make("span", {});
  const alternatives = schema.anyOf ?? schema.oneOf ?? schema.allOf?.slice(0, 1);
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    span.append(make("a", { href: `#shape-${name}` }, name));
  } else if (alternatives) {
    alternatives.forEach((/** @type {any} */ one, /** @type {number} */ number) => span.append(number ? " or " : "", one.type === "null" ? "null" : inWords(one)));
  } else if (schema.type === "array") {
    span.append("list of ", inWords(schema.items ?? {}));
  } else {
    span.append(kindOf(schema));
  }
  const limits = Object.entries(LIMITS).filter(([name]) => schema[name] !== undefined && schema[name] !== null);
  if (limits.length) span.append(` (${limits.map(([name, word]) => `${word} ${JSON.stringify(schema[name])}`).join(", ")})`);
  return span;
}

/** An object's members, those of objects within it below them. @returns {Node | null} */
export function fields(/** @type {any} */ schema) {
  const inner = inside(schema);
  const members = Object.entries(inner.properties ?? {});
  if (!members.length) return null;
  const list = make("dl", { class: "fields" });
  for (const [name, member] of members) {
    const isNeeded = inner.required?.includes(name);
    const said = /** @type {any} */ (member).description;
    list.append(
      make("dt", {}, make("code", {}, name), isNeeded ? "" : make("small", {}, " may be missing")),
      make("dd", {}, inWords(member), said ? make("p", { class: "soft" }, ...marked(said)) : "", fields(member) ?? ""),
    );
  }
  return list;
}

/** What a list is of, or what may be null is otherwise; named shapes stand elsewhere. */
function inside(/** @type {any} */ schema) {
  if (schema.type === "array") return inside(schema.items ?? {});
  const [only, ...others] = (schema.anyOf ?? []).filter((/** @type {any} */ one) => one.type !== "null");
  return only && !others.length ? inside(only) : schema;
}
