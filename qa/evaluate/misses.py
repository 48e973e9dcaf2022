"""One miss on the report page: what was expected and said, beside the hits it came from."""

from collections.abc import Iterable
from html import escape

from qa.evaluate.compare import Earlier
from qa.evaluate.stored import place_of
from qa.evaluate.types import JudgedCitation, JudgedHit, Outcome
from qa.evaluate.words import faults

LONGEST = 600
"""Characters of a paragraph that are shown."""


def render_miss(outcome: Outcome, earlier: Earlier | None, *, is_open: bool) -> str:
    """A miss that folds; with an earlier run's hits as one more column where there are some."""
    chips = "".join(_chip(fault, "bad") for fault in faults(outcome))
    judged = outcome.status == "judged"
    columns = [_asked(outcome), _column("Held against" if judged else "Hits", _hits(outcome.hits))]
    if earlier is not None and earlier.hits and not judged:
        columns.append(_column("Hits of the other run", _earlier_hits(earlier)))
    return (
        f"<details{' open' if is_open else ''}><summary><b>{escape(outcome.question)}</b> "
        f'<span class="soft">{escape(outcome.id)} · {escape(outcome.kind)}</span>{chips}</summary>'
        f'<div class="miss">{"".join(columns)}</div></details>'
    )


def _asked(outcome: Outcome) -> str:
    parts: list[str] = []
    if outcome.standalone and outcome.standalone != outcome.question:
        parts.append(f"<h3>Searched for</h3>{_text(outcome.standalone)}")
    parts.append(f"<h3>Expected</h3>{_expected(outcome)}")
    if outcome.status != "searched":
        sure = outcome.answered or outcome.status == "judged"
        confidence = f" · confidence {outcome.confidence:.3f}" if sure else ""
        parts.append(f"<h3>Answer: {escape(outcome.status + confidence)}</h3>{_text(outcome.answer or '–')}")
    if outcome.citations:
        parts.append("<h3>Citations</h3>" + "".join(_citation(cited) for cited in outcome.citations))
    return f"<div>{''.join(parts)}</div>"


def _expected(outcome: Outcome) -> str:
    if not outcome.answerable:
        return "<p>No answer: the corpus holds none.</p>"
    parts = [f"<p><code>{escape(wanted)}</code></p>" for wanted in outcome.expected]
    for gold in outcome.gold:
        place = place_of(gold)
        text = outcome.gold_texts.get(place)
        parts.append(f'<p class="place">{escape(place)}</p>' + (_text(text, gold=True) if text else ""))
    return "".join(parts)


def _citation(cited: JudgedCitation) -> str:
    citation = cited.citation
    place = f"[{citation.marker}] {_lines(citation.path, citation.line_start, citation.line_end)}"
    differs = "" if cited.exact else _chip("differs from the stored text", "bad")
    return _place(place, gold=cited.gold, more=differs) + _text(citation.cited_text, gold=cited.gold)


def _hits(hits: Iterable[JudgedHit]) -> str:
    return "".join(
        _hit(
            rank,
            _lines(item.hit.path, item.hit.line_start, item.hit.line_end),
            item.hit.score,
            item.hit.text,
            item.gold,
        )
        for rank, item in enumerate(hits, start=1)
    )


def _earlier_hits(earlier: Earlier) -> str:
    shown: list[str] = []
    for rank, hit in enumerate(earlier.hits, start=1):
        score = hit.get("score")
        place = _lines(str(hit.get("path", "")), hit.get("line_start"), hit.get("line_end"))
        number = float(score) if isinstance(score, int | float) else 0.0
        shown.append(_hit(rank, place, number, str(hit.get("text", "")), hit.get("gold") is True))
    return "".join(shown)


def _hit(rank: int, place: str, score: float, text: str, gold: bool) -> str:
    found = f" · {score:.3f}" if score else ""  # a text that a claim came with was not searched for
    return _place(f"{rank}. {place}{found}", gold=gold) + _text(text, gold=gold)


def _place(words: str, *, gold: bool, more: str = "") -> str:
    return f'<p class="place">{escape(words)}{_chip("gold", "good") if gold else ""}{more}</p>'


def _column(heading: str, content: str) -> str:
    return f"<div><h3>{escape(heading)}</h3>{content or '<p class=soft>None.</p>'}</div>"


def _lines(path: str, start: object, end: object) -> str:
    if start is None:
        return path
    return f"{path}:{start}" if start == end else f"{path}:{start}–{end}"


def _text(text: str, *, gold: bool = False) -> str:
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return f'<div class="text{" gold" if gold else ""}">{escape(shown)}</div>'


def _chip(words: str, kind: str) -> str:
    return f'<span class="chip {kind}">{escape(words)}</span>'
