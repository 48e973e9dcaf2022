// The evaluation view of a server that wants a key: the report comes as a file, since a frame cannot send the key.
import { call } from "./api.js";
import { byId, el } from "./dom.js";
import { moment, oneLine } from "./text.js";

const MAKE = 'nutgraf eval questions.jsonl --html "${NUTGRAF_DATA_DIR:-.nutgraf}/evaluation.html"';

try {
  const report = await call("/evaluation/report");
  const file = new File([await report.blob()], "evaluation.html", { type: "text/html" });
  const link = el("a", { href: URL.createObjectURL(file), download: "evaluation.html", class: "button" }, "Save the report");
  const made = report.headers.get("last-modified");
  byId("report").append(el("p", { class: "where" }, made ? `Made ${moment(made)}` : ""), el("p", {}, link));
} catch (problem) {
  const none = problem.status === 404;
  byId("report").append(
    el("p", {}, none ? "No report has been made yet. Make one with:" : oneLine(problem.message)),
    ...(none ? [el("pre", { tabindex: 0 }, MAKE)] : []),
  );
}
