"""Answers, hits and reports as text for people, and the neutralising of what a terminal would obey.

Text from documents, models and file names is never trusted: every control character is made visible, so that no
escape sequence, whole or split over two chunks, reaches the terminal.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from index.types import CheckReport, Hit, StoredParagraph, SyncReport
from qa.age import age_of, today
from qa.types import Abstention, Answer, Citation, Verified

_KEPT = {ord("\n"), ord("\t")}
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20) if code not in _KEPT}
    | {0x7F: "␡"}
    | {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    # bidirectional controls and tag characters make text read as something it is not
    | {
        code: f"\\u{code:04x}"
        for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
    }
    | dict.fromkeys(range(917504, 917632), "")
    | dict.fromkeys(range(55296, 57344), "�")
)
_UNSAFE_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    """The text with control characters made visible; line ends and tabs stay. Safe for any piece of a stream."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def one_line(text: str) -> str:
    """The same on one line: for paths, titles and reasons."""
    return visible(text).replace("\n", "␊").replace("\t", " ")


class Neutraliser:
    """`visible` for a stream of chunks: a carriage return waits for the line feed that may follow it."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, chunk: str) -> str:
        """What can be shown of the text so far."""
        text = self._held + chunk
        self._held = "\r" if text.endswith("\r") else ""
        return visible(text.removesuffix("\r") if self._held else text)

    def end(self) -> str:
        """What was still held back."""
        held, self._held = self._held, ""
        return visible(held)


def json_text(payload: Mapping[str, object]) -> str:
    """One line of JSON whose strings hold nothing a terminal would obey; it parses back to equal text."""
    text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
    return _UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True, slots=True)
class Style:
    """How to set words off: with ANSI codes on a terminal, not at all elsewhere; with or without citations' links."""

    ansi: bool = False
    links: bool = False

    def bold(self, text: str) -> str:
        """Strong."""
        return self._with("1", text)

    def dim(self, text: str) -> str:
        """Faint."""
        return self._with("2", text)

    def marker(self, text: str) -> str:
        """A citation's number."""
        return self._with("36", text)

    def warning(self, text: str) -> str:
        """What is not as it should be."""
        return self._with("33", text)

    def _with(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.ansi else text


PLAIN = Style()

REASONS = {
    "no_evidence": "nothing in the documents matches the question.",
    "low_confidence": "the paragraphs that come nearest do not answer it clearly enough.",
    "unsupported_draft": "what was drafted is not supported by the documents.",
}
DEGRADED = {
    "dense": "searched by words only: no embedding model is at hand",
    "lexical": "searched by meaning only",
    "rerank": "not reranked",
    "llm": "the LLM did not answer: sentences are quoted",
    "llm_refused": "the LLM would not answer: sentences are quoted",
    "llm_truncated": "the LLM broke off before its end",
    "record": "no record of this answer could be kept",
    "llm_unsupported": "nothing the LLM said is supported: sentences are quoted",
    "context_overflow": "the paragraphs do not fit the LLM's context: sentences are quoted",
}


def address(citation: Citation) -> str:
    """Where it stands, in words: path, paragraph, page, lines and date."""
    page = f", page {citation.page}" if citation.page is not None else ""
    return f"{place(citation)}{page}{_dated(citation.date)}"


def place(found: Citation | Hit) -> str:
    """Path, paragraph and lines."""
    return f"{one_line(found.path)}, paragraph {found.paragraph}, {_lines(found.line_start, found.line_end)}"


def answer_text(answer: Answer, style: Style = PLAIN) -> str:
    """A whole answer: text, what it cites to the letter, disagreements and what could not take part."""
    if answer.abstention is not None:
        parts = [abstention_text(answer.abstention, style)]
    else:
        parts = [_marked(answer.answer, style), sources_text(answer, style)]
    return "\n\n".join(part for part in [*parts, notes_text(answer, style)] if part)


def abstention_text(abstention: Abstention, style: Style = PLAIN) -> str:
    """That there is no answer, why, and what came nearest."""
    said = style.bold("No answer:") + " " + REASONS[abstention.reason]
    if not abstention.nearest:
        return said
    nearest = "\n\n".join(citation_text(citation, style) for citation in abstention.nearest)
    return f"{said}\n\nNearest paragraphs:\n\n{nearest}"


def sources_text(answer: Answer, style: Style = PLAIN) -> str:
    """The citations, numbered as in the text; a verdict below `supported` stands beside its citations."""
    doubts = _doubts(answer)
    return "\n\n".join(citation_text(c, style, doubts.get(c.id, "")) for c in answer.citations)


def citation_text(citation: Citation, style: Style = PLAIN, doubt: str = "") -> str:
    """One citation: number and address, then the verbatim text."""
    head = f"{style.marker(f'[{citation.marker}]')} {style.bold(address(citation))}"
    note = " " + style.warning(f"({doubt})") if doubt else ""
    link = f"\n{one_line(citation.url)}" if style.links else ""
    return f"{head}{note}\n{_indented(citation.cited_text)}{link}"


def notes_text(answer: Answer, style: Style = PLAIN) -> str:
    """Disagreements between sources, a partial answer, and the parts that could not take part."""
    lines = [
        style.warning("Sources disagree: ") + visible(_conflict(answer, i))
        for i in range(len(answer.conflicts))
    ]
    if answer.status == "partial":
        lines.append(style.warning("Partial:") + " what the documents do not support was left out.")
    lines.extend(
        style.warning("Note:") + f" {DEGRADED.get(name, 'done without ' + one_line(name))}."
        for name in answer.degraded
    )
    old = age_of(answer.citations, today())
    if old:
        lines.append(style.warning("Note:") + f" {old}")
    return "\n".join(lines)


def hits_text(hits: Iterable[Hit], style: Style = PLAIN) -> str:
    """Hits, best first: rank, score, address and paragraph."""
    shown = [
        f"{style.marker(f'{rank}.')} {style.bold(place(hit))}{_dated(hit.date)} {style.dim(f'score {hit.score:.3f}')}"
        f"\n{_indented(hit.text)}"
        for rank, hit in enumerate(hits, 1)
    ]
    return "\n\n".join(shown) or "Nothing found."


def verified_text(verified: Verified, style: Style = PLAIN) -> str:
    """Each sentence with its verdict, then what supports it."""
    markers = {citation.id: f"[{citation.marker}]" for citation in verified.citations}
    lines = []
    for sentence in verified.sentences:
        cited = "".join(style.marker(markers.get(each, "")) for each in sentence.citations)
        plain = sentence.verdict == "supported"
        verdict = f"{sentence.verdict:<12}"
        lines.append(
            f"{verdict if plain else style.warning(verdict)} {visible(sentence.text)} {cited}".rstrip()
        )
    cited_texts = [citation_text(citation, style) for citation in verified.citations]
    return "\n\n".join(["\n".join(lines) or "There is no sentence to check.", *cited_texts])


def paragraph_text(
    context: Iterable[StoredParagraph],
    number: int,
    style: Style = PLAIN,
    cited: tuple[int, int] | None = None,
) -> str:
    """A whole paragraph between its neighbours, which are set back; the cited characters are set off."""
    shown = []
    for stored in context:
        paragraph = stored.paragraph
        label = f"{paragraph.number:>4}  "
        if paragraph.number == number:
            where = f"{one_line(stored.document.path)}, {_lines(paragraph.line_start, paragraph.line_end)}"
            text = _hanging(_set_off(stored, style, cited))
            shown.append(
                style.bold(f"      {where}{_dated(stored.document.date)}") + f"\n{style.marker(label)}{text}"
            )
        else:
            shown.append(style.dim(label + _hanging(visible(stored.text))))
    return "\n\n".join(shown)


def _set_off(stored: StoredParagraph, style: Style, cited: tuple[int, int] | None) -> str:
    """The paragraph's text; where only a part of it is cited, that part in bold."""
    begin = stored.paragraph.start
    start, end = (max(0, at - begin) for at in cited or (begin, begin))
    before, words, after = (visible(part) for part in _parted(stored.text, start, end))
    return before + (style.bold(words) if words and (before or after) else words) + after


def _parted(text: str, start: int, end: int) -> tuple[str, str, str]:
    return text[:start], text[start:end], text[end:]


def _hanging(text: str) -> str:
    return text.replace("\n", "\n      ")


def sync_text(report: SyncReport) -> str:
    """What an indexing run did, on one line."""
    counts = {
        "added": report.added,
        "changed": report.changed,
        "moved": report.moved,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "skipped": len(report.skipped),
    }
    done = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "no document"
    return f"{done}; {report.passages} passages in {report.seconds:.1f} s"


def check_text(report: CheckReport, style: Style = PLAIN) -> str:
    """Counts, then one line for each problem."""
    state = "ok" if report.ok else style.warning("problems")
    counts = f"{report.documents} documents, {report.paragraphs} paragraphs, {report.passages} passages"
    return "\n".join([f"{state}: {counts}", *(f"- {one_line(problem)}" for problem in report.problems)])


def status_text(status: Mapping[str, object]) -> str:
    """One line for each thing known; what is nested follows its name."""
    return "\n".join(f"{one_line(name)}: {one_line(value)}" for name, value in _flat("", status))


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{name}.{key}" if name else str(key), inner)
    elif isinstance(value, list | tuple) and any(isinstance(item, Mapping) for item in value):
        for number, item in enumerate(value, 1):
            rest = dict(item) if isinstance(item, Mapping) else {}
            label = rest.pop("name", number)
            yield from _flat(f"{name}.{label}", rest or item)
    else:
        yield name, _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None or value == "" else str(value)


def _marked(text: str, style: Style) -> str:
    return re.sub(r"\[\d+\]", lambda found: style.marker(found[0]), visible(text))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in visible(text).split("\n"))


def _lines(start: int, end: int) -> str:
    return f"line {start}" if start == end else f"lines {start}-{end}"


def _dated(date: str | None) -> str:
    return f" ({one_line(date)})" if date else ""


def _doubts(answer: Answer) -> dict[str, str]:
    return {
        citation: sentence.verdict
        for sentence in answer.sentences
        if sentence.verdict != "supported"
        for citation in sentence.citations
    }


def _conflict(answer: Answer, index: int) -> str:
    conflict = answer.conflicts[index]
    cited = {citation.id: citation for citation in answer.citations}
    sources = [
        f"{value} [{cited[each].marker}]{_dated(cited[each].date)}" if each in cited else value
        for value, each in zip(conflict.values, conflict.citations, strict=False)
    ]
    values = sources if len(conflict.values) <= len(conflict.citations) else list(conflict.values)
    return f"{conflict.claim}: {'; '.join(values)}"
