"""Subtitles: cues joined to paragraphs as they are spoken, each under the time at which it begins."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pysubs2

from index.encoding import decoded
from index.errors import RejectedError
from index.formats.build import Builder

_PAUSE_MS = 2_000
_MOST_WORDS = 90
_LEAST_WORDS = 25
_MARKUP = re.compile(r"<[^<>]{1,200}>|\{\\[^{}]{1,200}\}")
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^<>]{1,80})>")
_SPEAKER = re.compile(r"\A\s*(?:-\s+\S|>>|[A-Z][\w .'-]{0,30}:\s)")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*\Z")


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add what is said, in paragraphs of a few sentences; positions, colours and styles are left out."""
    text, notes = decoded(data)
    for note in notes:
        out.note(note)
    try:
        cues = pysubs2.SSAFile.from_string(_VOICE.sub(r"\1: ", text), format_=kind)
    except (pysubs2.exceptions.Pysubs2Error, ValueError, IndexError) as error:
        raise RejectedError("damaged", f"not subtitles: {error}") from error
    for said in _paragraphs(cues):
        out.add(said.text, headings=(f"{_clock(said.start)}–{_clock(said.end)}",))


@dataclass(slots=True)
class _Said:
    text: str
    start: int
    end: int


def _paragraphs(cues: pysubs2.SSAFile) -> Iterator[_Said]:
    """Cues joined until a pause, another speaker, or the end of a sentence when there is enough. Times in ms."""
    open_: _Said | None = None
    for cue in sorted(cues, key=lambda cue: cue.start):
        text = _words(cue.text)
        if not text or cue.is_comment:
            continue
        if open_ is not None and _ends(open_, text, cue.start):
            yield open_
            open_ = None
        if open_ is None:
            open_ = _Said(text, cue.start, cue.end)
        elif text != open_.text.rsplit("\n", 1)[-1]:  # rolling captions say a line twice
            open_ = _Said(f"{open_.text}\n{text}", open_.start, max(open_.end, cue.end))
    if open_ is not None:
        yield open_


def _ends(said: _Said, following: str, start: int) -> bool:
    words = len(said.text.split())
    if start - said.end >= _PAUSE_MS or _SPEAKER.match(following) or words >= _MOST_WORDS:
        return True
    return words >= _LEAST_WORDS and bool(_SENTENCE_END.search(said.text))


def _words(text: str) -> str:
    for mark in ("\\N", "\\n", "\\h"):
        text = text.replace(mark, " ")
    return " ".join(_MARKUP.sub("", text).split())


def _clock(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
