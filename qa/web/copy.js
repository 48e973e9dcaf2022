// An answer on the clipboard, as Markdown in which every citation is a footnote with its verbatim text.
import { labelBefore, oneLine, place, slice, visible } from "./text.js";

/** A question and its answer as Markdown. */
export function markdown(question, answer) {
  const notes = new Map(answer.citations.map((citation) => [citation.id, citation]));
  const said = answer.sentences.map((sentence, n) => {
    const markers = sentence.citations.map((id) => `[^${notes.get(id)?.marker}]`).join("");
    const label = labelBefore(answer.answer, answer.sentences[n - 1]?.end ?? 0, sentence.start);
    return visible(`${label} ${slice(answer.answer, sentence.start, sentence.end)}`.trimStart()) + markers;
  });
  const body = said.join(" ") || "No answer in the documents.";
  return [`## ${oneLine(question)}`, body, ...answer.citations.map(footnote)].join("\n\n") + "\n";
}

function footnote(citation) {
  const quoted = visible(citation.cited_text).split("\n").map((line) => `    > ${line}`);
  return [`[^${citation.marker}]: ${[oneLine(citation.path), ...place(citation)].join(", ")}`, "", ...quoted].join("\n");
}

/** Put text on the clipboard; true when it is there. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text); // no clipboard without https, but on localhost
  }
}

function copyBySelection(text) {
  const area = document.createElement("textarea");
  const before = document.activeElement;
  area.value = text;
  area.className = "sr";
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  before?.focus();
  return done;
}
