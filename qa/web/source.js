// The panel at the side: the cited paragraph in its context, with the exact characters highlighted.
import { documentLink, json, query } from "./api.js";
import { byId, el, facts } from "./dom.js";
import { oneLine, place, slice, visible } from "./text.js";

const NEAR = 2;
const KEPT = 100;
const narrow = window.matchMedia("(max-width: 59.99rem)");
const loaded = new Map();
let shown = null;

/** A link with a citation's number: looking at it shows its paragraph, following it opens the document there. */
export function citationLink(citation, collection) {
  const where = [oneLine(citation.path), ...place(citation)].join(", ");
  const link = el("a", {
    class: "cite",
    href: documentLink(citation, collection),
    "aria-label": `Citation ${citation.marker}: ${where}`,
    "data-citation": citation.id,
  }, String(citation.marker));
  for (const look of ["pointerenter", "focus"]) {
    link.addEventListener(look, () => showBeside(citation, collection, link));
  }
  link.addEventListener("click", (event) => {
    const plain = !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (plain && narrow.matches && !(shown?.link === link && isOpen())) {
      event.preventDefault(); // on a narrow screen the first tap shows the paragraph, the second opens the document
      show(citation, collection, link);
      open();
    }
  });
  return link;
}

/** Show a citation's paragraph. */
export async function show(citation, collection, link) {
  if (shown?.link === link) return;
  shown?.link.removeAttribute("aria-describedby");
  shown?.link.classList.remove("shown");
  const mine = { link, citation };
  shown = mine;
  link.classList.add("shown");
  link.setAttribute("aria-describedby", "quote");
  byId("source-title").textContent = oneLine(citation.title || citation.path);
  facts(byId("source-where"), [...(citation.title ? [oneLine(citation.path)] : []), ...place(citation)]);
  byId("source-open").href = documentLink(citation, collection);
  fill([el("p", { class: "paragraph cited", dir: "auto" }, quote(citation.cited_text))]);
  byId("source").hidden = false;
  try {
    const paragraphs = await load(citation.document_id, citation.paragraph, collection);
    if (shown === mine) fill(inContext(paragraphs, citation));
  } catch (problem) {
    const gone = problem.status === 404;
    if (shown === mine) note(gone ? "This document is no longer in the collection." : oneLine(problem.message));
  }
}

/** Show nothing. */
export function clear() {
  shown = null;
  byId("source").hidden = true;
  close();
}

/** Let the panel be closed. */
export function start() {
  byId("source-close").addEventListener("click", () => {
    const link = shown?.link;
    close();
    link?.focus({ preventScroll: true });
  });
  byId("source").addEventListener("keydown", (event) => event.key === "Escape" && byId("source-close").click());
}

/** Show a citation beside its answer, where there is room beside it. */
export function showBeside(citation, collection, link) {
  if (!narrow.matches) show(citation, collection, link);
}

const isOpen = () => byId("source").classList.contains("open");

function close() {
  byId("source").classList.remove("open");
  if (narrow.matches) shown?.link.classList.remove("shown");
}

function open() {
  byId("source").classList.add("open");
  shown?.link.classList.add("shown");
  centre();
  byId("source-context").focus({ preventScroll: true });
}

function load(id, number, collection) {
  const near = { first: Math.max(1, number - NEAR), last: number + NEAR };
  const address = `/v1/documents/${encodeURIComponent(id)}/paragraphs${query({ collection, ...near })}`;
  if (!loaded.has(address)) {
    loaded.set(address, json(address).then((found) => found.paragraphs));
    loaded.get(address).catch(() => loaded.delete(address));
    if (loaded.size > KEPT) loaded.delete(loaded.keys().next().value);
  }
  return loaded.get(address);
}

function inContext(near, citation) {
  const cited = near.find((p) => p.paragraph === citation.paragraph);
  if (!cited || within(cited, citation)[1] !== citation.cited_text) {
    return [
      el("p", { class: "paragraph cited", dir: "auto" }, quote(citation.cited_text)),
      el("p", { class: "note" }, "The document has changed since this answer: it no longer says this here."),
    ];
  }
  return near.map((p) => paragraph(p, p === cited ? citation : null));
}

function within(stored, citation) {
  const from = citation.start_char_index - stored.start_char_index;
  const to = citation.end_char_index - stored.start_char_index;
  return [slice(stored.text, 0, from), slice(stored.text, from, to), slice(stored.text, to, stored.text.length)];
}

function paragraph(stored, citation) {
  const number = el("span", { class: "number", "aria-hidden": "true" }, String(stored.paragraph));
  const kind = `paragraph ${stored.kind}`;
  if (!citation) return el("p", { class: `${kind} near`, dir: "auto" }, number, visible(stored.text));
  const [before, cited, after] = within(stored, citation);
  return el("p", { class: `${kind} cited`, dir: "auto" }, number, visible(before), quote(cited), visible(after));
}

const quote = (text) => el("mark", { id: "quote" }, visible(text));

const note = (text) => byId("source-context").append(el("p", { class: "note" }, text));

function fill(children) {
  byId("source-context").replaceChildren(...children);
  centre();
}

function centre() {
  const context = byId("source-context");
  const mark = context.querySelector("mark");
  if (!mark) return;
  const offset = mark.getBoundingClientRect().top - context.getBoundingClientRect().top;
  context.scrollTop += offset - Math.max(16, (context.clientHeight - mark.offsetHeight) / 3);
}
