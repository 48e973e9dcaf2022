"""Putting an answer together: sentences, their markers, and citations copied from the stored text."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from index.paragraphs import clean
from index.types import Hit
from qa.types import Citation, Quote, Sentence, Verdict


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence with its verdict and the spans that support it, best first.

    `label` stands before the sentence in the answer and is no part of it.
    """

    text: str
    verdict: Verdict
    score: float
    quotes: tuple[Quote, ...]
    layer: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """An answer's text with and without markers, its sentences and citations."""

    answer: str
    answer_plain: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


class Composer:
    """Grows an answer sentence by sentence; each citation gets its number when it is first used."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self._citations: dict[tuple[str, int, int], Citation] = {}
        self._sentences: list[Sentence] = []
        self._plain: list[str] = []
        self._answer = ""

    def add(self, checked: Checked) -> tuple[Sentence, tuple[Citation, ...], str]:
        """Append a sentence; gives it back with the citations that are new and the text that was appended."""
        known = len(self._citations)
        cited = [self._cite(quote) for quote in checked.quotes]
        before = len(self._answer)
        label = f"{clean(checked.label)}: " if checked.label else ""
        lead = (" " if self._answer else "") + label
        text = clean(checked.text)
        markers = "".join(f"[{citation.marker}]" for citation in cited)
        start = before + len(lead)
        self._answer += f"{lead}{text}" + (f" {markers}" if markers else "")
        sentence = Sentence(
            len(self._sentences), start, start + len(text), checked.verdict, checked.score,
            tuple(citation.id for citation in cited), text, checked.layer,
        )  # fmt: skip
        self._sentences.append(sentence)
        self._plain.append(label + text)
        return sentence, tuple(self._citations.values())[known:], self._answer[before:]

    def composed(self) -> Composed:
        """What was put together so far."""
        return Composed(
            self._answer, " ".join(self._plain), tuple(self._sentences), tuple(self._citations.values())
        )

    def _cite(self, quote: Quote) -> Citation:
        key = (quote.hit.document_id, quote.start, quote.end)
        if key not in self._citations:
            number = len(self._citations) + 1
            self._citations[key] = citation_of(quote, f"c{number}", number, self._base_url)
        return self._citations[key]


def citation_of(quote: Quote, id_: str, marker: int, base_url: str) -> Citation:
    """The citation of a span: its text is copied from the stored paragraph, never from a draft.

    Raises:
        ValueError: the span does not lie in the hit's paragraph.
    """
    hit = quote.hit
    if not hit.start <= quote.start < quote.end <= hit.end:
        raise ValueError("a citation must lie in its paragraph")
    text = hit.text[quote.start - hit.start : quote.end - hit.start]
    first = hit.line_start + _breaks(hit.text[: quote.start - hit.start])
    return Citation(
        id=id_,
        marker=marker,
        document_id=hit.document_id,
        path=hit.path,
        title=hit.title,
        date=hit.date,
        paragraph=hit.paragraph,
        line_start=first,
        line_end=first + _breaks(text),
        page=hit.page,
        start_char_index=quote.start,
        end_char_index=quote.end,
        cited_text=text,
        sha256=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        url=f"{base_url}/documents/{hit.document_id}#p{hit.paragraph}",
        paragraph_sha256=hit.sha256,
    )


def whole(hit: Hit) -> Quote:
    """The whole paragraph of a hit as a quote."""
    return Quote(hit, hit.start, hit.end)


def nearest(hits: Sequence[Hit], base_url: str, limit: int = 3) -> tuple[Citation, ...]:
    """Citations of the paragraphs that came nearest, for an answer that is withheld."""
    return tuple(citation_of(whole(hit), f"c{n}", n, base_url) for n, hit in enumerate(hits[:limit], start=1))


def _breaks(text: str) -> int:
    """Line breaks in a text, counted as editors do."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
