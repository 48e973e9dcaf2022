"""A conversation as Markdown: every citation is a footnote with its verbatim text."""

import re

from qa.render import address, one_line, visible
from qa.types import Answer, Citation

# what a Markdown reader would take for a link, an image, HTML or emphasis instead of showing it
_OBEYED = re.compile(r"[\\`*_\[\]<>&|~]|(?<=\n)[#+-]|^[#+-]")


def markdown(answers: list[tuple[str, Answer]]) -> str:
    """A conversation as Markdown; each citation is a footnote with its verbatim text."""
    parts: list[str] = []
    notes: list[str] = []
    for number, (question, answer) in enumerate(answers, 1):
        text = _shown(answer.answer) or "No answer in the documents."
        for citation in answer.citations:
            text = text.replace(rf"\[{citation.marker}\]", f"[^{number}-{citation.marker}]")
            notes.append(_footnote(f"{number}-{citation.marker}", citation))
        parts.append(f"## {_shown(one_line(question))}\n\n{text}\n")
    return "\n".join(["# Questions and answers\n", *parts, *notes]) + "\n"


def _footnote(name: str, citation: Citation) -> str:
    quoted = "\n".join(f"    > {line}" for line in _shown(citation.cited_text).split("\n"))
    return f"[^{name}]: {_shown(address(citation))}\n\n{quoted}\n"


def _shown(text: str) -> str:
    """Text of a document or a model, so that a Markdown reader shows it and does nothing else with it."""
    return _OBEYED.sub(r"\\\g<0>", visible(text))
