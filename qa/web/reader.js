// A document on a server that wants a key: the same page as without one, filled in by the browser.
import { json, query } from "./api.js";
import { byId, el, facts } from "./dom.js";
import { count, day, oneLine, slice, visible } from "./text.js";

const CHANGED = "The document has changed since it was cited: it no longer says this here.";
const asked = new URLSearchParams(location.search);
const id = location.pathname.split("/").at(-1);

function paragraph(stored, stands) {
  const number = stored.paragraph;
  const link = el("a", { class: "number", href: `#p${number}`, "aria-label": `Paragraph ${number}` }, String(number));
  return el("p", { id: `p${number}`, class: `paragraph ${stored.kind}`, dir: "auto" }, link, ...marked(stored, stands));
}

function marked(stored, stands) {
  const { text, start_char_index: at } = stored;
  const start = Math.max(0, Number(asked.get("start") ?? NaN) - at);
  const end = Math.min(stored.end_char_index, Number(asked.get("end") ?? NaN)) - at;
  if (!(start < end) || !stands) return [visible(text)];
  const cited = el("mark", {}, visible(slice(text, start, end)));
  return [visible(slice(text, 0, start)), cited, visible(slice(text, end, text.length))];
}

/** Whether the document still says there what was cited; unknown counts as yes. */
async function stillStands(paragraphs) {
  const [start, end, hash] = ["start", "end", "sha256"].map((name) => asked.get(name));
  if (!hash || !crypto.subtle) return true;
  const cited = paragraphs.find((p) => p.start_char_index <= start && end <= p.end_char_index);
  const words = cited ? slice(cited.text, start - cited.start_char_index, end - cited.start_char_index) : "";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(words)));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("").startsWith(hash);
}

try {
  const found = await json(`/v1/documents/${id}/paragraphs${query({ collection: asked.get("collection") })}`);
  const { title, path, date, paragraphs } = found.document;
  document.title = oneLine(title || path);
  byId("title").textContent = oneLine(title || path);
  facts(byId("where"), [oneLine(path), ...(date ? [day(date)] : []), count(paragraphs, "paragraph")]);
  const stands = await stillStands(found.paragraphs);
  if (!stands) byId("paragraphs").append(el("p", { class: "note" }, CHANGED));
  byId("paragraphs").append(...found.paragraphs.map((stored) => paragraph(stored, stands)));
  if (location.hash) location.replace(location.hash); // the browser looked for it before it was there
} catch (problem) {
  byId("where").textContent = oneLine(problem.message);
}
