// The view that asks: a conversation with follow-ups, each answer beside its sources.
import { Turn } from "./answer.js";
import { Problem, events, json, post, query } from "./api.js";
import * as collections from "./collections.js";
import { byId, el } from "./dom.js";
import * as history from "./history.js";
import * as source from "./source.js";
import { count, moment, oneLine, slice } from "./text.js";

const SENT = 10; // earlier questions that go with one
const LONGEST = 2000; // characters of each, which the server takes whatever they are
const form = byId("ask");
const field = byId("question");
const pick = byId("collection");
let conversation = history.begun("default");
let running = null;

function begin(collection) {
  running?.abort();
  history.leave();
  conversation = history.begun(collection);
  byId("turns").replaceChildren();
  source.clear();
  arrange();
  field.focus();
}

function arrange() {
  const talking = byId("turns").childElementCount > 0;
  byId("intro").classList.toggle("sr", talking);
  byId("new").hidden = !talking;
  document.body.classList.toggle("talking", talking);
}

async function ask(question) {
  const turn = add(question);
  const controller = new AbortController();
  running = controller;
  busy(true);
  say("Searching the documents");
  try {
    say(summary(await streamed(turn, question, controller.signal)));
  } catch (error) {
    if (controller.signal.aborted) turn.stop();
    else turn.fail(error.message, () => { turn.element.remove(); ask(question); });
    say(controller.signal.aborted ? "Stopped" : "");
  } finally {
    if (running === controller) {
      running = null;
      busy(false);
    }
  }
}

async function streamed(turn, question, signal) {
  const body = { question, collection: conversation.collection, history: told(), stream: true };
  const response = await post("/v1/query", body, signal);
  const into = conversation;
  let answer = null;
  for await (const { name, data } of events(response.body)) {
    if (name === "error") throw new Problem(data.status, data);
    if (!turn.take(name, data)) continue;
    answer = data;
    into.turns.push({ question, answer: { ...answer, hits: [] } });
    history.keep(into);
  }
  if (!answer) throw new Problem(0, { detail: "The answer broke off." });
  return answer;
}

function told() {
  return conversation.turns.slice(-SENT).flatMap(({ question, answer }) => [
    { role: "user", content: slice(question, 0, LONGEST) },
    { role: "assistant", content: slice(answer.answer_plain || "I found no answer to this in the documents.", 0, LONGEST) },
  ]);
}

function add(question) {
  const turn = new Turn(question, conversation.collection);
  byId("turns").append(turn.element);
  arrange();
  turn.element.scrollIntoView({ block: "start" }); // the answer grows below its question, and nothing jumps
  return turn;
}

function busy(yes) {
  byId("stop").hidden = !yes;
  byId("submit").hidden = yes;
  form.setAttribute("aria-busy", String(yes));
}

const say = (text) => { byId("said").textContent = text; };

function summary(answer) {
  if (answer.abstention) return "No answer in these documents";
  return `Answered: ${count(answer.sentences.length, "sentence")}, ${count(answer.citations.length, "citation")}`;
}

function restore(kept) {
  running?.abort();
  source.clear();
  conversation = kept;
  collections.choose(pick, kept.collection);
  byId("turns").replaceChildren();
  for (const { question, answer } of kept.turns) add(question).finish(answer);
  history.keep(kept);
}

function listed(one) {
  const open = el("button", { type: "button", class: "link" }, oneLine(one.turns[0].question));
  open.addEventListener("click", () => { byId("history").close(); restore(one); });
  const drop = el("button", { type: "button", class: "quiet", "aria-label": `Forget: ${oneLine(one.turns[0].question)}` }, "✕");
  drop.addEventListener("click", () => { history.forget(one.id); list(); });
  const when = el("span", { class: "where" }, `${moment(one.at)} · ${count(one.turns.length, "question")}`);
  return el("li", {}, el("div", {}, open, when), drop);
}

function list() {
  const rows = history.all().map(listed);
  byId("conversations").replaceChildren(...(rows.length ? rows : [el("li", {}, "Nothing yet.")]));
  byId("forget").hidden = !rows.length;
}

async function holding() {
  const line = byId("holding");
  const collection = pick.value;
  try {
    const found = await json(`/v1/documents${query({ collection, limit: 1 })}`);
    if (collection !== pick.value) return; // another was chosen meanwhile
    line.replaceChildren(found.total ? el("a", { href: "/documents" }, count(found.total, "document")) : "Nothing is indexed yet. ");
    if (found.total) line.append(" to ask");
    else line.append(el("a", { href: "/documents" }, "Add documents"));
  } catch (problem) {
    line.textContent = oneLine(problem.message);
    if (problem.status === 503 || problem.status === 404) await untilReady(line);
  }
}

async function untilReady(line) {
  for (;;) {
    const state = await json("/readyz").then(() => null, (problem) => problem);
    if (!state) return;
    line.textContent = oneLine(state.reasons.join("; ") || state.message);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    if (state.reasons.length === 0 && state.status !== 503) return;
    if (!state.reasons.includes("nothing is indexed yet")) { await holding(); return; }
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const question = field.value.trim();
  if (!question || running) return;
  field.value = "";
  if (matchMedia("(pointer: coarse)").matches) field.blur(); // the keyboard of a phone would cover the answer
  else field.focus();
  ask(question);
});
field.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !document.querySelector("dialog[open]")) running?.abort();
});
byId("stop").addEventListener("click", () => { running?.abort(); field.focus(); });
byId("new").addEventListener("click", () => begin(pick.value));
byId("past").addEventListener("click", () => { list(); byId("history").showModal(); });
byId("history-close").addEventListener("click", () => byId("history").close());
byId("forget").addEventListener("click", () => { history.forget(); list(); });
pick.addEventListener("change", () => { collections.choose(pick, pick.value); begin(pick.value); holding(); });

source.start();
await collections.fill(pick).catch(() => {}); // what is wrong is said beside the number of documents
if (!conversation.turns.length) conversation.collection = pick.value;
const kept = history.current();
if (kept) restore(kept);
await holding();
