/** The page at `/`: asks for the key, then shows uploads and videos. */
import { $, copy } from "./dom.js";
import { RecordPanel } from "./record-panel.js";
import { Server } from "./server.js";
import { Uploads } from "./uploads.js";
import { Videos } from "./videos.js";

const server = new Server();
const videos = new Videos(server);
const uploads = new Uploads(server, () => videos.load());
const recordPanel = new RecordPanel(server, () => videos.load());

function lock(/** @type {string} */ words) {
  server.forget();
  videos.clear();
  recordPanel.shut();
  $("inside").hidden = true;
  $("forget").hidden = true;
  $("gate").hidden = false;
  $("gate-error").textContent = words;
  $("key").focus();
}

function open() {
  $("gate").hidden = true;
  $("inside").hidden = false;
  $("forget").hidden = false;
  videos.load();
  uploads.recall();
}

server.onRefusedKey = () => lock("This key is no longer accepted.");

$("gate-form").onsubmit = async (/** @type {Event} */ event) => {
  event.preventDefault();
  const key = $("key").value.trim();
  const words = $("gate-error");
  words.textContent = "";
  if (!/^[\x21-\x7e]+$/.test(key)) return void (words.textContent = "A key has only letters, digits and signs.");
  try {
    await server.ask("GET", "videos?pageSize=1", key);
  } catch (reason) {
    const error = /** @type {any} */ (reason);
    words.textContent = error.status === 401 ? "This key is wrong. Please check it." : error.title;
    return void $("key").select();
  }
  server.keep(key, $("remember").checked);
  $("key").value = "";
  open();
  $("main").focus();
};

$("forget").onclick = () => {
  const busy = uploads.rows.some((row) => row.isSending);
  if (busy) uploads.rows.forEach((row) => row.upload?.pause());
  lock("");
};

$("files").onchange = () => {
  const files = [...$("files").files];
  $("files").value = "";
  uploads.add(files);
};

for (const type of ["dragenter", "dragover", "dragleave", "drop"]) {
  addEventListener(type, (event) => {
    const { dataTransfer } = /** @type {DragEvent} */ (event);
    if (!dataTransfer?.types.includes("Files") || $("inside").hidden) return;
    event.preventDefault();
    const isLeaving = type === "drop" || (type === "dragleave" && !(/** @type {DragEvent} */ (event).relatedTarget));
    $("drop").classList.toggle("over", !isLeaving);
    if (type === "drop") uploads.add([...dataTransfer.files]);
  });
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const { copy: source } = /** @type {HTMLElement} */ (button).dataset;
  /** @type {HTMLElement} */ (button).onclick = () =>
    copy($(source ?? "").textContent, /** @type {HTMLElement} */ (button));
}

const base = new URL("./", location.href).href.replace(/\/$/, "");
$("line-partway").textContent = `export PARTWAY_SERVER=${base}
export PARTWAY_API_KEY=YOUR_API_KEY
partway upload video.mp4`;
$("line-curl").textContent = `KEY=YOUR_API_KEY
ID=$(curl -s -u "$KEY:" -H "Content-Type: application/json" \\
  -d '{"title": "My video"}' ${base}/videos | grep -o 'vi[A-Za-z0-9]\\{22\\}' | head -n 1)
curl -u "$KEY:" -F file=@video.mp4 "${base}/videos/$ID/source"`;

if (server.apiKey) open();
else lock("");
