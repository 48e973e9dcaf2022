"""Hybrid search: dense and lexical lists fused, ranked by relevance with a reranker; a reader looks at the first."""

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from index.analysis import STOP_WORDS, question_names, share_of_names, stem, stems, tokens
from index.errors import CorruptError, NotFoundError
from index.expects import expected, holds, is_question
from index.fuse import bm25_bound, fuse
from index.mentions import nearby_names
from index.passages import embed_text
from index.reading import BEFORE, HITS_READ, answers, reordered, to_read, valued
from index.relevance import STATEMENTS, WITH_RERANKER, WITHOUT_RERANKER, Signals, relevance
from index.terms import words
from index.timing import described, version_fit
from index.types import (
    Embedder,
    Filters,
    Hit,
    PassageStore,
    Reader,
    Reranker,
    SearchResult,
    StoredParagraph,
    StoredPassage,
)

LIST_LENGTH = 100
"""Entries taken from each list before fusing."""
RERANKED = 24
"""Passages that the cross-encoder reads."""
_VALUE_PLACES = 6
"""Of these, how many are kept for passages that hold the kind of value asked for."""
_TOP_DOCUMENTS = 6
"""Documents of the first so many fused passages count as being about the question."""
_RERANK_WORDS = 180
"""Words of a passage that the cross-encoder reads; its cost grows with their square."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fused passage with the signals that rank it."""

    stored: StoredPassage
    signals: Signals
    scores: Mapping[str, float]
    score: float
    lent: str = ""


def search(
    store: PassageStore,
    embedder: Embedder | None,
    reranker: Reranker | None,
    reader: Reader | None,
    query: str,
    *,
    collection: str = "default",
    k: int = 8,
    filters: Filters = Filters(),
) -> SearchResult:
    """The k paragraphs that answer the query best, best first.

    Raises:
        NotFoundError: no such collection.
    """
    timings: dict[str, float] = {}
    clock = time.perf_counter()
    vector = embedder.embed_queries([query])[0] if embedder else None
    timings["embed"], clock = _since(clock)
    dense = store.dense(collection, vector, LIST_LENGTH, filters) if vector is not None else []
    terms = query_terms(query)
    lexical = store.lexical(collection, terms, LIST_LENGTH, filters)
    found = candidates(store, collection, query, dense, lexical, depth=max(k, RERANKED))
    timings["retrieve"], clock = _since(clock)
    texts = texts_of(store, collection, found[:RERANKED])
    ranked = rank(query, found, reranker, texts)
    timings["rerank"], clock = _since(clock)
    hits = [hit_of(candidate) for candidate in ranked[: max(k, HITS_READ)]]
    most = None
    if reader is not None and hits and is_question(query):
        hits, most = _read(query, hits, reader, texts)
        timings["read"], _ = _since(clock)
    degraded = (() if embedder else ("dense",)) + (() if reranker else ("rerank",))
    return SearchResult(tuple(hits[:k]), degraded, timings, most)


def _read(
    query: str, hits: Sequence[Hit], reader: Reader, texts: Mapping[str, str]
) -> tuple[list[Hit], float]:
    """The hits in the order that reading them gives, and the log odds that one of them answers."""
    first = hits[:HITS_READ]
    before = [texts.get(hit.document_id, "")[max(hit.start - BEFORE, 0) : hit.start] for hit in first]
    passages = [to_read(hit, words) for hit, words in zip(first, before, strict=True)]
    readings = iter(reader.read(query, [piece for pieces in passages for piece in pieces]))
    found = [[valued(query, piece, next(readings)) for piece in pieces] for pieces in passages]
    ordered = reordered(hits, found)
    return ordered, max(
        answers(hit.scores["stated"], hit.scores["relevance"]) for hit in ordered if "stated" in hit.scores
    )


def query_terms(query: str) -> list[str]:
    """Words of a query for lexical search; stop words only when there is nothing else."""
    every = words(query)
    return [word for word in every if word not in STOP_WORDS] or every


@dataclass(frozen=True, slots=True)
class Fused:
    """A passage with its fused score and where that came from."""

    stored: StoredPassage
    score: float
    dense: float | None
    lexical: float | None
    rarity: Mapping[str, float]


def texts_of(store: PassageStore, collection: str, found: Sequence[Fused]) -> dict[str, str]:
    """The texts of the documents that these passages stand in, by id."""
    texts: dict[str, str] = {}
    for document_id in dict.fromkeys(item.stored.source.document.id for item in found):
        with suppress(
            NotFoundError, CorruptError
        ):  # gone or damaged: what surrounds a passage lends it nothing
            texts[document_id] = store.text(collection, document_id)
    return texts


def candidates(
    store: PassageStore,
    collection: str,
    query: str,
    dense: Sequence[tuple[int, float]],
    lexical: Sequence[tuple[int, float]],
    *,
    depth: int,
) -> list[Fused]:
    """The best passages of both lists, one for each paragraph, best first."""
    total = max(store.passage_count(collection), 1)
    frequencies = store.term_frequencies(collection, query_terms(query))
    scores = fuse(dense, lexical, lexical_bound=bm25_bound(frequencies, total))
    by_dense, by_lexical = dict(dense), dict(lexical)
    rarity = {stem(word): math.log(1 + total / (1 + n)) for word, n in frequencies.items()}
    best = sorted(scores, key=lambda key: (-scores[key], key))[: max(depth * 3, LIST_LENGTH)]
    found: dict[tuple[str, int], Fused] = {}
    for stored in store.passages(collection, best):
        place = (stored.source.document.id, stored.passage.paragraph)
        if place not in found:
            key = stored.id
            found[place] = Fused(stored, scores[key], by_dense.get(key), by_lexical.get(key), rarity)
    return _with_values(query, list(found.values()))[:depth]


def _with_values(query: str, found: list[Fused]) -> list[Fused]:
    """Let passages that hold the kind of value asked for into the part that is reranked.

    "The 90-minute conversation" shares no word with "How long did the call last?" and is far down the list; it
    stands in a document that is at its top.
    """
    kind = expected(query)
    if kind is None or len(found) <= RERANKED:
        return found
    documents = {item.stored.source.document.id for item in found[:_TOP_DOCUMENTS]}
    keep = RERANKED - _VALUE_PLACES
    late = [
        item
        for item in found[keep:]
        if item.stored.source.document.id in documents and holds(kind, item.stored.passage.text, query)
    ][:_VALUE_PLACES]
    taken = {item.stored.id for item in late}
    return [*found[:keep], *late, *(item for item in found[keep:] if item.stored.id not in taken)]


def rank(
    query: str, found: Sequence[Fused], reranker: Reranker | None, texts: Mapping[str, str]
) -> list[Candidate]:
    """Candidates by relevance, read in the texts of their documents. Without a reranker the other signals decide."""
    head = found[:RERANKED]
    named = [_with_names(query, item.stored, texts.get(item.stored.source.document.id, "")) for item in head]
    logits = (
        reranker.scores(
            query, [_for_reranker(item.stored, names) for item, names in zip(head, named, strict=True)]
        )
        if reranker and head
        else None
    )
    fit = version_fit(query, [item.stored.source.document for item in head])
    with_reranker = WITH_RERANKER if is_question(query) else STATEMENTS
    weights = WITHOUT_RERANKER if logits is None else with_reranker
    ranked: list[Candidate] = []
    for n, (item, names) in enumerate(zip(head, named, strict=True)):
        logit = float(logits[n]) if logits is not None else 0.0
        signals = signals_of(query, item, names, logit, fit[item.stored.source.document.id])
        score = relevance(signals, weights)
        ranked.append(
            Candidate(
                item.stored,
                signals,
                _scores(item, logit if logits is not None else None),
                score,
                ", ".join(names),
            )
        )
    ranked.sort(key=lambda c: -c.score)
    floor = min((c.score for c in ranked), default=1.0)
    for item in found[RERANKED:]:
        signals = Signals(0.0, item.score, 0.0, 0.0, 0.0, 0.0)
        ranked.append(Candidate(item.stored, signals, _scores(item, None), floor * min(item.score, 1.0)))
    return ranked


def signals_of(query: str, item: Fused, names: Sequence[str], logit: float, version: float) -> Signals:
    """What the relevance model sees of a passage; `names` are those its surroundings lend it."""
    passage = item.stored.passage
    document = item.stored.source.document
    lent = " ".join(names)
    own = stems(f"{passage.text} {passage.context} {described(document)}")
    around = own | stems(lent)
    found_names = share_of_names(
        question_names(query), f"{passage.text} {passage.context} {described(document)} {lent}"
    )
    wanted = {stem(word) for word in tokens(query) if word.lower() not in STOP_WORDS}
    weight = {word: item.rarity.get(word, 1.0) for word in wanted}
    total = sum(weight.values())
    kind = expected(query)
    return Signals(
        rerank=logit / 10,
        fused=item.score,
        kind=0.5 if kind is None else float(holds(kind, passage.text, query)),
        names=found_names,
        words=sum(weight[word] for word in wanted & around) / total if total else 0.0,
        version=version,
    )


def _with_names(query: str, stored: StoredPassage, text: str) -> list[str]:
    passage = stored.passage
    own = f"{passage.text} {passage.context}"
    about = described(stored.source.document)
    return nearby_names(query, text, passage.start, passage.end, own, about=about)


def _for_reranker(stored: StoredPassage, names: Sequence[str]) -> str:
    text = " ".join(embed_text(stored.passage).split()[:_RERANK_WORDS])
    return f"{', '.join(names)}: {text}" if names else text


def _scores(item: Fused, logit: float | None) -> dict[str, float]:
    scores = {"fused": item.score}
    if item.dense is not None:
        scores["dense"] = item.dense
    if item.lexical is not None:
        scores["lexical"] = item.lexical
    if logit is not None:
        scores["rerank"] = logit
    return scores


def hit_of(candidate: Candidate) -> Hit:
    """The hit that a ranked candidate is."""
    hit = paragraph_hit(
        candidate.stored.source, score=candidate.score, context=candidate.stored.passage.context
    )
    return replace(hit, lent=candidate.lent, scores=candidate.scores)


def paragraph_hit(source: StoredParagraph, *, score: float, context: str = "") -> Hit:
    """A stored paragraph as a hit."""
    paragraph = source.paragraph
    return Hit(
        document_id=source.document.id,
        path=source.document.path,
        title=source.document.title,
        date=source.document.date,
        paragraph=paragraph.number,
        line_start=paragraph.line_start,
        line_end=paragraph.line_end,
        start=paragraph.start,
        end=paragraph.end,
        page=paragraph.page,
        text=source.text,
        sha256=source.sha256,
        context=context,
        score=score,
        kind=paragraph.kind,
    )


def _since(clock: float) -> tuple[float, float]:
    now = time.perf_counter()
    return (now - clock) * 1000, now
