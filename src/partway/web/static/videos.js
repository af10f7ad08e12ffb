/** The list of videos: a page of rows, each with its state. */
import { $, put, say } from "./dom.js";
import { VideoRow } from "./video-row.js";

/** @typedef {import("./server.js").Server} Server */

const PAGE_SIZE = 20;
const REFRESH_MS = 4_000;
/** Every so many refreshes the list itself is fetched again: others upload and delete, too. */
const LIST_EVERY = 5;
const ASKED_AT_ONCE = 4;

export class Videos {
  #page = 1;
  #wanted = "";
  /** @type {Map<string, VideoRow>} */
  #rows = new Map();
  #loading = 0;
  #total = 0;
  #refreshes = 0;

  /** @param {Server} server */
  constructor(server) {
    this.server = server;
    $("previous").onclick = () => this.#turn(-1);
    $("next").onclick = () => this.#turn(1);
    $("search").onsubmit = (/** @type {Event} */ event) => event.preventDefault();
    $("title").oninput = () => this.#search($("title").value.trim());
    setInterval(() => this.#refresh(), REFRESH_MS);
    // A private video's address is good once, and whoever comes back may have used it.
    document.addEventListener("visibilitychange", () => !document.hidden && this.server.apiKey && this.load());
  }

  /** Fetches the page of the list that is shown. */
  async load() {
    const asked = ++this.#loading;
    const query = new URLSearchParams({ currentPage: String(this.#page), pageSize: String(PAGE_SIZE) });
    if (this.#wanted) query.set("title", this.#wanted);
    try {
      const { data, pagination } = await this.server.ask("GET", `videos?${query}`);
      if (asked !== this.#loading) return;
      if (!data.length && this.#page > 1) {
        this.#page = Math.max(1, pagination.pagesTotal);
        return void this.load();
      }
      this.#trouble(null);
      this.#showAll(data, pagination);
      await this.#states((row) => !row.isFinal);
    } catch (reason) {
      if (asked === this.#loading) this.#trouble(/** @type {any} */ (reason));
    }
  }

  clear() {
    this.#loading += 1;
    this.#rows.clear();
    $("videos").replaceChildren();
  }

  #trouble(/** @type {import("./uploader.js").UploadError | null} */ error) {
    $("list-error").hidden = !error;
    put($("list-error"), error ? `The list can't be shown: ${error.title} Trying again.` : "");
  }

  #showAll(/** @type {any[]} */ data, /** @type {any} */ pagination) {
    const rows = data.map((video) => {
      const row = this.#rows.get(video.videoId) ?? new VideoRow(this, video);
      row.show(video);
      return row;
    });
    this.#rows = new Map(rows.map((row) => [row.video.videoId, row]));
    const list = $("videos");
    rows.forEach((row, at) => list.children[at] !== row.root && list.insertBefore(row.root, list.children[at] ?? null));
    while (list.children.length > rows.length) list.lastElementChild.remove();
    this.#total = pagination.itemsTotal;
    put($("count"), this.#total ? String(this.#total) : "");
    $("none").hidden = rows.length > 0;
    put(
      $("none"),
      this.#wanted
        ? `No title contains “${this.#wanted}”.`
        : "No videos yet. Drop one above, or upload it from a terminal.",
    );
    $("pages").hidden = pagination.pagesTotal < 2;
    const first = (this.#page - 1) * PAGE_SIZE;
    put($("page-words"), `${first + 1} to ${first + rows.length} of ${this.#total}`);
    $("previous").disabled = this.#page <= 1;
    $("next").disabled = this.#page >= pagination.pagesTotal;
  }

  #turn(/** @type {number} */ by) {
    this.#page += by;
    this.load().then(() => $("videos-title").scrollIntoView({ block: "start" }));
  }

  #search(/** @type {string} */ wanted) {
    if (wanted === this.#wanted) return;
    this.#wanted = wanted;
    this.#page = 1;
    this.load().then(() => say(`${this.#total} ${this.#total === 1 ? "video" : "videos"}.`));
  }

  /** What is on its way changes often, the rest now and then. */
  async #refresh() {
    if (document.hidden || !this.server.apiKey) return;
    this.#refreshes += 1;
    if (!$("list-error").hidden || this.#refreshes % LIST_EVERY === 0) await this.load();
    else await this.#states((row) => row.isDue());
  }

  async #states(/** @type {(row: VideoRow) => boolean} */ which) {
    const queue = [...this.#rows.values()].filter(which);
    const worker = async () => {
      for (let row = queue.shift(); row; row = queue.shift()) await row.learn();
    };
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, worker));
  }
}
