// Putting files into a collection, one after another, each with its progress and, if it is refused, the reason.
import { Problem } from "./api.js";
import { el } from "./dom.js";
import { OURS, enterKey } from "./key.js";
import { oneLine } from "./text.js";

const SAID = { 200: "replaced", 201: "added", 204: "unchanged", 202: "accepted" };

/** The files of a drop, folders included, each with its path. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  return (await Promise.all(entries.map(walked))).flat();
}

async function walked(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => { entry.file(resolve, reject); });
    return [{ path: entry.fullPath.replace(/^\/+/, ""), file }];
  }
  const reader = entry.createReader();
  const inside = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return (await Promise.all(inside.map(walked))).flat();
    inside.push(...some);
  }
}

/** One file on its way, as a row of the list. */
export class Upload {
  constructor(path, file, collection) {
    this.path = path;
    this.file = file;
    this.collection = collection;
    this.bar = el("progress", { max: 1, value: 0, "aria-label": `Upload of ${oneLine(path)}` });
    this.said = el("span", { class: "where" }, "waiting");
    this.element = el("li", {}, el("bdi", {}, oneLine(path)), this.bar, this.said);
  }

  /** Send it; true when the collection holds it now. */
  async run() {
    try {
      const status = await this.sent();
      this.end(SAID[status] ?? "done", "done");
      return true;
    } catch (problem) {
      this.end(`rejected: ${oneLine(problem.message)}`, "rejected");
      return false;
    }
  }

  async sent() {
    for (;;) {
      const request = await this.send();
      if (request.status >= 200 && request.status < 300) return request.status;
      if (request.status !== 401) throw new Problem(request.status, parsed(request.responseText));
      await enterKey();
    }
  }

  send() {
    const path = this.path.split("/").map(encodeURIComponent).join("/");
    const request = new XMLHttpRequest(); // fetch cannot say how much has been sent
    request.open("PUT", `/v1/documents/${path}?${new URLSearchParams({ collection: this.collection })}`);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    for (const [name, value] of Object.entries(OURS)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => this.progress(event));
    return new Promise((resolve, reject) => {
      request.addEventListener("load", () => resolve(request));
      request.addEventListener("error", () => reject(new Problem(0, { detail: "the server broke the upload off" })));
      request.send(this.file);
    });
  }

  progress({ loaded, total }) {
    this.bar.value = total ? loaded / total : 0;
    this.said.textContent = loaded < total ? `${Math.round((100 * loaded) / total)} %` : "indexing";
  }

  end(said, state) {
    this.bar.remove();
    this.said.textContent = said;
    this.element.dataset.state = state;
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
