// One question and its answer on the page: sentence by sentence as they are checked, then what stands behind them.
import { copy, markdown } from "./copy.js";
import { el, facts } from "./dom.js";
import { citationLink, showBeside } from "./source.js";
import { age, count, labelBefore, length, oneLine, place, slice, unit, visible } from "./text.js";

const VERDICTS = {
  supported: ["✓", "supported"],
  partial: ["≈", "partly supported"],
  unsupported: ["?", "not supported"],
  contradicted: ["✗", "contradicted"],
};
const REASONS = {
  no_evidence: "Nothing in the documents matches the question.",
  low_confidence: "The paragraphs that come nearest do not answer it clearly enough.",
  unsupported_draft: "What was drafted is not supported by the documents, so it is not shown.",
};
const DEGRADED = {
  dense: "Searched by words only: no embedding model is at hand.",
  lexical: "Searched by meaning only.",
  rerank: "Not reranked.",
  llm: "The LLM did not answer: sentences are quoted.",
  llm_refused: "The LLM would not answer: sentences are quoted.",
  llm_truncated: "The LLM broke off before its end.",
  record: "No record of this answer could be kept.",
  llm_unsupported: "Nothing the LLM said is supported: sentences are quoted.",
  context_overflow: "The paragraphs do not fit the LLM's context: sentences are quoted.",
};
let made = 0;

/** One turn of a conversation. */
export class Turn {
  constructor(question, collection) {
    this.question = question;
    this.collection = collection;
    this.citations = new Map();
    this.text = "";
    this.links = [];
    this.shown = [];
    made += 1;
    const id = `question-${made}`;
    this.asked = el("p", { class: "asked", hidden: true });
    this.progress = el("p", { class: "progress" }, "Searching the documents");
    this.pending = el("span", { class: "pending", "aria-hidden": "true" });
    this.sentences = el("div", { class: "sentences", "aria-live": "polite" });
    this.after = el("div", { class: "after" });
    this.element = el(
      "article",
      { class: "turn", "aria-labelledby": id },
      el("h2", { class: "question", id, dir: "auto" }, visible(question)),
      this.asked, this.progress, this.sentences, this.pending, this.after,
    );
  }

  /** Take one event of the stream; true when the answer is whole. */
  take(name, data) {
    const takers = {
      search: () => this.searched(data),
      delta: () => this.grow(data.text),
      citation: () => this.citations.set(data.citation.id, data.citation),
      sentence: () => this.checked(data),
      final: () => this.finish(data),
    };
    takers[name]?.();
    return name === "final";
  }

  searched({ query, hits }) {
    this.rewritten(query);
    this.progress.textContent = `Reading ${count(Array.isArray(hits) ? hits.length : Number(hits) || 0, "paragraph")}`;
  }

  rewritten(standalone) {
    if (!standalone || standalone === this.question) return;
    this.asked.replaceChildren("Understood as: ", el("q", { dir: "auto" }, visible(standalone)));
    this.asked.hidden = false;
  }

  grow(text) {
    this.text += text;
    this.pending.textContent = visible(this.text.slice(unit(this.text, this.taken ?? 0)));
  }

  checked(sentence) {
    if (!(sentence.end <= length(this.text)) || !sentence.citations.every((id) => this.citations.has(id))) return;
    this.pending.textContent = "";
    this.shown.push(key(sentence));
    this.sentences.append(this.sentence(sentence, this.text, this.taken));
    this.taken = sentence.end;
    if (this.shown.length === 1) this.showFirst();
  }

  sentence(sentence, text, before = 0) {
    const cited = sentence.citations.map((id) => this.citations.get(id)).filter(Boolean);
    const links = cited.map((citation) => citationLink(citation, this.collection));
    this.links.push(...links.map((link, n) => [link, cited[n]]));
    const said = withoutMarkers(slice(text, sentence.start, sentence.end), cited);
    const label = labelBefore(text, before, sentence.start);
    const [icon, word] = VERDICTS[sentence.verdict] ?? ["?", "not checked"];
    const verdict = el("span", { class: "verdict" }, el("span", { "aria-hidden": "true" }, icon), ` ${word}`);
    const tail = el("span", { class: "tail" }, ...links.slice(-1), " ", verdict); // a verdict never stands alone on a line
    return el(
      "p",
      { class: "sentence", "data-verdict": sentence.verdict in VERDICTS ? sentence.verdict : "unsupported" },
      ...(label ? [el("strong", { class: "label", dir: "auto" }, visible(label)), " "] : []),
      el("span", { class: "said", dir: "auto" }, visible(said)),
      ...links.slice(0, -1).flatMap((link) => [" ", link]), " ", tail,
    );
  }

  /** Show the whole answer: what was streamed already stays as it is. */
  finish(answer) {
    this.answer = answer;
    this.progress.remove();
    this.pending.remove();
    this.rewritten(answer.query.standalone);
    for (const citation of answer.citations) this.citations.set(citation.id, citation);
    if (this.text !== answer.answer || this.shown.join() !== answer.sentences.map(key).join()) {
      this.links = []; // the whole answer has the last word
      this.sentences.replaceChildren(...answer.sentences.map((sentence, n) =>
        this.sentence(sentence, answer.answer, answer.sentences[n - 1]?.end)));
    }
    this.after.replaceChildren(
      ...answer.conflicts.map((conflict) => this.conflict(conflict)),
      ...(answer.abstention ? [this.abstention(answer.abstention)] : []),
      ...notes(answer),
      this.foot(answer),
    );
    this.showFirst();
  }

  showFirst() {
    if (this.links.length) showBeside(this.links[0][1], this.collection, this.links[0][0]);
  }

  /** Say that the person stopped it. */
  stop() {
    this.end("Stopped.");
  }

  /** Say what went wrong; the question can be asked again. */
  fail(message, again) {
    this.end(oneLine(message), el("button", { type: "button", class: "quiet" }, "Ask again"));
    this.after.querySelector("button").addEventListener("click", again);
    this.after.setAttribute("role", "alert");
  }

  end(said, ...more) {
    this.progress.remove();
    this.pending.remove();
    this.after.replaceChildren(el("p", { class: "note" }, said, more.length ? " " : "", ...more));
  }

  conflict(conflict) {
    const sides = conflict.citations.map((id, n) => [this.citations.get(id), conflict.values[n]]);
    const days = sides.map(([citation]) => citation?.date ?? "").filter(Boolean);
    const newest = new Set(days).size > 1 ? days.toSorted().at(-1) : null;
    return el(
      "section",
      { class: "conflict" },
      el("h3", {}, "Sources disagree: ", el("bdi", {}, oneLine(conflict.claim))),
      el("ul", { class: "sides" }, ...sides.filter(([citation]) => citation).map(([citation, value]) =>
        el("li", {},
          el("strong", { dir: "auto" }, visible(value ?? "")), " ", this.link(citation),
          el("blockquote", { dir: "auto" }, visible(citation.cited_text)),
          this.where(citation, citation.date === newest && newest ? ["newest"] : [])))),
    );
  }

  abstention({ reason, nearest }) {
    const title = el("h3", {}, "No answer in these documents");
    const why = el("p", {}, REASONS[reason] ?? "There is not enough to answer from.");
    if (!nearest.length) return el("section", { class: "abstained" }, title, why);
    const list = el("ol", { class: "nearest" }, ...nearest.map((citation) =>
      el("li", {}, this.link(citation), " ", this.where(citation),
        el("blockquote", { dir: "auto" }, visible(citation.cited_text)))));
    return el("section", { class: "abstained" }, title, why, el("h4", {}, "Nearest paragraphs"), list);
  }

  link(citation) {
    const link = citationLink(citation, this.collection);
    this.links.push([link, citation]);
    return link;
  }

  where(citation, more = []) {
    const line = el("span", { class: "where" });
    facts(line, [oneLine(citation.path), ...place(citation), ...more]);
    return line;
  }

  foot(answer) {
    const line = el("span", { class: "where" });
    const total = answer.timings_ms?.total;
    facts(line, [
      ...(answer.citations.length ? [count(answer.citations.length, "citation")] : []),
      answer.answerer.kind === "llm" ? `written by ${oneLine(answer.answerer.model)}, checked` : "quoted word for word",
      ...(Number.isFinite(total) ? [`${(total / 1000).toFixed(1)} s`] : []),
    ]);
    const button = el("button", { type: "button", class: "quiet" }, "Copy with footnotes");
    button.addEventListener("click", async () => {
      button.textContent = (await copy(markdown(this.question, answer))) ? "Copied" : "Not copied";
      setTimeout(() => { button.textContent = "Copy with footnotes"; }, 2000);
    });
    return el("p", { class: "foot" }, answer.abstention ? "" : line, answer.abstention ? "" : button);
  }
}

const key = (sentence) => JSON.stringify([sentence.start, sentence.end, sentence.verdict, sentence.citations]);

function withoutMarkers(text, cited) {
  const own = new Set(cited.map((citation) => `[${citation.marker}]`));
  for (let found; (found = text.match(/\s*(\[\d+\])$/)) && own.has(found[1]); ) text = text.slice(0, found.index);
  return text;
}

function notes(answer) {
  const said = answer.degraded.map((name) => DEGRADED[name] ?? `Done without ${oneLine(name)}.`);
  if (answer.status === "partial") said.unshift("Partial: what the documents do not fully support was left out or is marked.");
  if (age(answer.citations)) said.push(age(answer.citations));
  return said.map((text) => el("p", { class: "note" }, text));
}
