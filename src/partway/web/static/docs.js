/** The API's description as a page: `openapi.json`, read and laid out. */
import { $, put } from "./dom.js";
import { fields, inWords, kindOf } from "./docs-schema.js";
import { make, marked } from "./docs-words.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** A heading and what stands below it, or nothing. */
const block = (/** @type {string} */ title, /** @type {Node | null} */ body) =>
  body ? make("section", {}, make("h4", {}, title), body) : "";

function parameters(/** @type {any[]} */ given) {
  if (!given.length) return null;
  const rows = given.map((one) =>
    make(
      "tr",
      {},
      make("td", {}, make("code", {}, one.name)),
      make("td", {}, one.in),
      make("td", {}, inWords(one.schema)),
      make("td", {}, ...marked(one.description ?? "")),
    ),
  );
  const heads = ["name", "in", "kind", "what for"].map((word) => make("th", { scope: "col" }, word));
  return make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
}

function content(/** @type {Record<string, any>} */ found) {
  const parts = Object.entries(found ?? {}).map(([type, { schema }]) =>
    make("div", {}, make("p", { class: "soft" }, make("code", {}, type), " ", inWords(schema)), fields(schema) ?? ""),
  );
  return parts.length ? make("div", {}, ...parts) : null;
}

function answer(/** @type {string} */ status, /** @type {any} */ said) {
  const [words, ...slugs] = said.description.split("\n").filter(Boolean);
  const list = slugs.map((/** @type {string} */ line) => make("li", {}, ...marked(line.replace(/^- /, ""))));
  return make(
    "div",
    { class: "answer" },
    make("p", {}, make("b", { class: `status s${status[0]}` }, status), " ", words),
    list.length ? make("ul", { class: "slugs" }, ...list) : (content(said.content) ?? ""),
  );
}

function caller(/** @type {any[]} */ security) {
  if (!security.length) return "Needs no key.";
  return security.some((one) => "uploadToken" in one) ? "Needs an upload token." : "Needs an API key.";
}

function operation(/** @type {string} */ path, /** @type {string} */ method, /** @type {any} */ row) {
  const answers = Object.entries(row.responses).map(([status, said]) => answer(status, said));
  return make(
    "details",
    { class: "route", id: row.operationId, "data-words": `${method} ${path} ${row.summary} ${row.tags}`.toLowerCase() },
    make(
      "summary",
      {},
      make("b", { class: `method ${method}` }, method.toUpperCase()),
      make("code", {}, path),
      make("span", {}, ...marked(row.summary)),
    ),
    make("p", { class: "soft" }, caller(row.security)),
    block("Parameters", parameters(row.parameters)),
    block(row.requestBody?.required ? "Body" : "Body, which may be missing", content(row.requestBody?.content)),
    block("Answers", make("div", {}, ...answers)),
  );
}

function show(/** @type {any} */ described) {
  $("introduction").append(...described.info.description.split("\n\n").map((/** @type {string} */ text) => make("p", {}, ...marked(text))));
  for (const { name } of described.tags) {
    const id = `group-${name.toLowerCase().replace(/\W+/g, "-")}`;
    const section = make("section", { class: "group", "aria-labelledby": id }, make("h2", { id }, name));
    for (const [path, methods] of Object.entries(described.paths)) {
      for (const method of METHODS) {
        if (methods[method]?.tags.includes(name)) section.append(operation(path, method, methods[method]));
      }
    }
    $("routes").append(section);
    $("groups").append(make("li", {}, make("a", { href: `#${id}` }, name)));
  }
  $("groups").append(make("li", {}, make("a", { href: "#shapes-title" }, "Shapes")));
  for (const [name, schema] of Object.entries(described.components.schemas)) {
    const kind = make("p", { class: "soft" }, kindOf(schema));
    $("shapes").append(make("section", { id: `shape-${name}`, class: "shape", tabindex: "-1" }, make("h3", {}, name), fields(schema) ?? kind));
  }
}

function find() {
  const words = $("wanted").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const route of document.querySelectorAll(".route")) {
    const said = /** @type {HTMLElement} */ (route).dataset.words ?? "";
    const isFound = words.every((/** @type {string} */ word) => said.includes(word));
    /** @type {HTMLElement} */ (route).hidden = !isFound;
    count += Number(isFound);
  }
  for (const group of document.querySelectorAll(".group")) {
    /** @type {HTMLElement} */ (group).hidden = !group.querySelector(".route:not([hidden])");
  }
  put($("found"), words.length ? `${count} found` : "");
}

/** Opens what the address names. */
function open() {
  const named = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!named) return;
  if (named instanceof HTMLDetailsElement) named.open = true;
  named.scrollIntoView();
}

try {
  show(await (await fetch("openapi.json")).json());
  open();
} catch (error) {
  $("trouble").hidden = false;
  put($("trouble"), `The description could not be loaded: ${error}`);
}
$("wanted").addEventListener("input", find);
$("search").addEventListener("submit", (/** @type {Event} */ event) => event.preventDefault());
addEventListener("hashchange", open);
