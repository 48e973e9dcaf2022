// A document on a server that wants a key: the same page as without one, filled in by the browser.
import { json, query } from "./api.js";
import { byId, el, facts } from "./dom.js";
import { count, day, oneLine, slice, visible } from "./text.js";

const asked = new URLSearchParams(location.search);
const id = location.pathname.split("/").at(-1);

function paragraph(stored) {
  const number = stored.paragraph;
  const link = el("a", { class: "number", href: `#p${number}`, "aria-label": `Paragraph ${number}` }, String(number));
  return el("p", { id: `p${number}`, class: `paragraph ${stored.kind}`, dir: "auto" }, link, ...marked(stored));
}

function marked(stored) {
  const { text, start_char_index: at } = stored;
  const given = asked.has("start") && asked.has("end");
  const start = Math.max(0, Number(asked.get("start")) - at);
  const end = Math.min(stored.end_char_index, Number(asked.get("end"))) - at;
  if (!given || !(start < end)) return [visible(text)];
  const cited = el("mark", {}, visible(slice(text, start, end)));
  return [visible(slice(text, 0, start)), cited, visible(slice(text, end, text.length))];
}

try {
  const found = await json(`/v1/documents/${id}/paragraphs${query({ collection: asked.get("collection") })}`);
  const { title, path, date, paragraphs } = found.document;
  document.title = oneLine(title || path);
  byId("title").textContent = oneLine(title || path);
  facts(byId("where"), [oneLine(path), ...(date ? [day(date)] : []), count(paragraphs, "paragraph")]);
  byId("paragraphs").append(...found.paragraphs.map(paragraph));
  if (location.hash) location.replace(location.hash); // the browser looked for it before it was there
} catch (problem) {
  byId("where").textContent = oneLine(problem.message);
}
