"""A conversation as Markdown: every citation is a footnote with its verbatim text."""

from qa.render import address, one_line, visible
from qa.types import Answer, Citation


def markdown(answers: list[tuple[str, Answer]]) -> str:
    """A conversation as Markdown; each citation is a footnote with its verbatim text."""
    parts: list[str] = []
    notes: list[str] = []
    for number, (question, answer) in enumerate(answers, 1):
        text = visible(answer.answer) or "No answer in the documents."
        for citation in answer.citations:
            text = text.replace(f"[{citation.marker}]", f"[^{number}-{citation.marker}]")
            notes.append(_footnote(f"{number}-{citation.marker}", citation))
        parts.append(f"## {one_line(question)}\n\n{text}\n")
    return "\n".join(["# Questions and answers\n", *parts, *notes]) + "\n"


def _footnote(name: str, citation: Citation) -> str:
    quoted = "\n".join(f"    > {line}" for line in visible(citation.cited_text).split("\n"))
    return f"[^{name}]: {address(citation)}\n\n{quoted}\n"
