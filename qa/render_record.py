"""The record of an answer as text for people."""

from collections.abc import Iterator, Mapping

from qa.record import Record, RecordedCitation, RecordedHit, RecordedSentence, Words
from qa.render import DEGRADED, PLAIN, REASONS, Style, one_line, visible

_SHOWN = 12
"""Characters of a hash that are shown."""


def record_text(record: Record, style: Style = PLAIN) -> str:
    """What was asked and said, how each source stands now, and what the answer was made with."""
    parts = [
        "\n".join(_head(record, style)),
        "\n\n".join(_cited(cited, style) for cited in (*record.citations, *record.nearest)),
        "\n".join(_checked(record, style)),
        "\n".join(_hit(rank, hit, style) for rank, hit in enumerate(record.hits, start=1)),
        "\n".join(_made(record, style)),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(record: Record, style: Style) -> Iterator[str]:
    reason = f": {REASONS.get(record.reason, record.reason)}" if record.reason else ""
    yield style.bold(f"{record.id} {record.status}") + reason
    where = f"collection {one_line(record.collection)}, verify {record.verify}"
    yield f"asked     {record.asked_at}, {where}"
    yield f"question  {_said(record.question, style)}"
    if record.standalone.sha256 != record.question.sha256:
        yield f"read as   {_said(record.standalone, style)}"
    if record.status != "abstained":
        yield f"answer    {_said(record.answer, style)}"
    for name in record.degraded:
        yield style.warning("Note:") + f" {DEGRADED.get(name, 'done without ' + one_line(name))}."


def _said(words: Words, style: Style) -> str:
    return style.dim(f"SHA-256 {words.sha256}") if words.text is None else one_line(words.text)


def _cited(cited: RecordedCitation, style: Style) -> str:
    state: str = cited.state
    if cited.moved_to is not None:
        state += f", now paragraph {cited.moved_to}"
    state = state if cited.state == "current" else style.warning(state)
    head = f"{style.marker(f'[{cited.marker}]')} {style.bold(_place(cited))}: {state}"
    if cited.cited_text is None:
        return f"{head}\n    {style.dim(f'SHA-256 {cited.sha256}')}"
    return head + "".join(f"\n    {line}" for line in visible(cited.cited_text).split("\n"))


def _place(at: RecordedCitation | RecordedHit) -> str:
    lines = (
        f"line {at.line_start}" if at.line_start == at.line_end else f"lines {at.line_start}-{at.line_end}"
    )
    path = one_line(at.path) or f"document {one_line(at.document_id)}"
    return f"{path}, paragraph {at.paragraph}, {lines}"


def _checked(record: Record, style: Style) -> Iterator[str]:
    markers = {cited.id: f"[{cited.marker}]" for cited in record.citations}
    for item in record.sentences:
        cited = "".join(markers.get(each, "") for each in item.citations)
        yield _verdict(item, "answer", style) + f" {style.marker(cited)}"
    for item in record.draft.sentences:
        yield _verdict(item, "draft", style) + ("" if item.shown else ", left out")


def _verdict(item: RecordedSentence, of: str, style: Style) -> str:
    place = f"{of} {item.start}-{item.end}"
    verdict = item.verdict if item.verdict == "supported" else style.warning(item.verdict)
    return f"{place:<16} {verdict} {item.score:.3f} ({one_line(item.layer) or 'no layer'})"


def _hit(rank: int, hit: RecordedHit, style: Style) -> str:
    place = _place(hit)
    return f"{rank:>2}. {hit.score:.3f} {place} {style.dim(_numbers(hit.scores))} {hit.sha256[:_SHOWN]}"


def _made(record: Record, style: Style) -> Iterator[str]:
    made = record.made_with
    until = "" if made.sequence == made.sequence_end else f" to {made.sequence_end}"
    yield f"answerer  {record.answerer.kind} {one_line(record.answerer.model)}"
    if record.prompt_sha256 is not None:
        yield f"prompt    {style.dim(f'SHA-256 {record.prompt_sha256}')}"
    yield f"draft     {style.dim(f'SHA-256 {record.draft.sha256}')}"
    model = f"{one_line(made.model)} {made.model_sha256[:_SHOWN]}" if made.model else "no model"
    yield f"index     change {made.sequence}{until}, {model}, splitter {made.splitter}"
    yield f"reranker  {one_line(made.reranker) or 'none'}"
    yield f"release   {one_line(made.release)}"
    yield f"times     {_numbers(record.timings_ms, ' ms')}"


def _numbers(values: Mapping[str, float], unit: str = "") -> str:
    return ", ".join(f"{one_line(name)} {value:.4g}{unit}" for name, value in values.items())
