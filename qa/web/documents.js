// The view of a collection: what it holds, adding to it, and deleting from it.
import { call, json, post, query } from "./api.js";
import * as collections from "./collections.js";
import { byId, el, facts } from "./dom.js";
import { count, day, moment, oneLine } from "./text.js";
import { Upload, dropped } from "./upload.js";

const PAGE = 100;
const UNITS = ["bytes", "kB", "MB", "GB"];
const pick = byId("collection");
const rows = byId("documents").tBodies[0];
let seen = [];

function size(bytes) {
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

function row(info) {
  const where = query({ collection: pick.value === "default" ? null : pick.value });
  const link = el("a", { href: `/documents/${encodeURIComponent(info.id)}${where}` }, oneLine(info.title || info.path));
  const drop = el("button", { type: "button", class: "quiet danger", "aria-label": `Delete ${oneLine(info.path)}` }, "Delete");
  drop.addEventListener("click", () => remove(info));
  const notes = info.notes.map((note) => el("span", { class: "where" }, oneLine(note)));
  return el(
    "tr", {},
    el("td", {}, el("bdi", {}, link), info.title ? el("span", { class: "where" }, el("bdi", {}, oneLine(info.path))) : null, ...notes),
    el("td", {}, info.date ? el("time", { datetime: info.date }, day(info.date)) : "–"),
    el("td", { class: "number" }, info.paragraphs.toLocaleString("en")),
    el("td", { class: "number" }, size(info.size)),
    el("td", {}, moment(info.indexed_at)),
    el("td", {}, drop),
  );
}

async function load(offset = 0) {
  const collection = pick.value;
  try {
    const found = await json(`/v1/documents${query({ collection, limit: PAGE, offset })}`);
    if (collection !== pick.value) return; // another was chosen meanwhile
    seen = offset ? [...seen, ...found.documents] : found.documents;
    rows.replaceChildren(...seen.map(row));
    byId("documents").hidden = !seen.length;
    byId("more").hidden = seen.length >= found.total;
    tell(found.total);
  } catch (problem) {
    if (collection !== pick.value) return;
    seen = [];
    rows.replaceChildren();
    byId("documents").hidden = true;
    byId("holding").textContent = problem.status === 404 ? "Nothing is indexed yet." : oneLine(problem.message);
  }
}

function tell(total) {
  const last = seen.map((info) => info.indexed_at).toSorted().at(-1);
  const paragraphs = seen.reduce((sum, info) => sum + info.paragraphs, 0);
  const whole = seen.length === total;
  facts(byId("holding"), [
    count(total, "document"),
    ...(whole && total ? [count(paragraphs, "paragraph")] : []),
    ...(last ? [`last indexed ${moment(last)}`] : []),
  ]);
}

async function remove(info) {
  const dialog = byId("sure");
  const back = info.origin === "folder" ? " It came from a folder: if the file stays there, indexing brings it back." : "";
  byId("sure-what").replaceChildren(el("bdi", {}, oneLine(info.path)), ` will answer no more questions.${back}`);
  if (await answered(dialog) !== "delete") return;
  try {
    await call(`/v1/documents/${encodeURIComponent(info.id)}${query({ collection: pick.value })}`, { method: "DELETE" });
    await load();
  } catch (problem) {
    byId("holding").textContent = `Not deleted: ${oneLine(problem.message)}`;
  }
}

let queue = Promise.resolve();

function add(files) {
  const uploads = files.map(({ path, file }) => new Upload(path, file, pick.value));
  byId("uploads").prepend(...uploads.map((upload) => upload.element));
  queue = queue.then(async () => {
    for (const upload of uploads) await upload.run();
    await load();
  });
}

async function create() {
  const dialog = byId("fresh");
  const name = await answered(dialog) === "create" ? byId("fresh-name").value.trim() : "";
  if (!name) return;
  try {
    await post("/v1/collections", { name });
    await collections.fill(pick);
    collections.choose(pick, name);
    await load();
  } catch (problem) {
    byId("holding").textContent = `Not made: ${oneLine(problem.message)}`;
  }
}

/** Show a dialog and wait: the value of the button that closed it. */
function answered(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => { dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }); });
}

const zone = byId("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault(); // a file dropped beside the zone must not replace the page
    zone.classList.toggle("over", name === "dragover");
  });
}
document.addEventListener("drop", async (event) => add(await dropped(event.dataTransfer)));
byId("files").addEventListener("change", (event) => {
  add([...event.target.files].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
  event.target.value = "";
});
byId("more").addEventListener("click", () => load(seen.length));
byId("create").addEventListener("click", create);
pick.addEventListener("change", () => { collections.choose(pick, pick.value); load(); });

await collections.fill(pick).catch(() => {}); // what is wrong is said beside the number of documents
await load();
