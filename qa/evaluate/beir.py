"""Retrieval sets in BEIR's layout: corpus, queries and judgements; nDCG, recall and reciprocal rank."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

from index.types import Hit
from qa.errors import QuestionError
from qa.evaluate.corpus import CorpusText, file_name, read_corpus
from qa.evaluate.judge import first_rank
from qa.evaluate.metrics import rank_tallies
from qa.evaluate.records import DataFileError, MissingFileError, read_records, read_text
from qa.evaluate.run import summed_up
from qa.evaluate.types import Evaluation, Gold, JudgedHit, Measured, Outcome, ProgressOf, Tally

DEPTH = 100
"""Documents that recall@100 needs."""
MAX_HITS = 800
KIND = "query"


@dataclass(frozen=True, slots=True)
class Query:
    """A query with the grade (1 or more) of every file that is relevant to it."""

    id: str
    text: str
    grades: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class RetrievalSet:
    """A corpus and the queries that have a relevant text."""

    texts: tuple[CorpusText, ...]
    queries: tuple[Query, ...]


def read_retrieval(folder: Path) -> RetrievalSet:
    """Read `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` (or `qrels/test.tsv`) of a folder.

    Raises:
        MissingFileError: a file cannot be opened.
        DataFileError: a file is not what it should be, or no query has a relevant text.
    """
    judged = next(
        (path for path in (folder / "qrels.tsv", folder / "qrels/test.tsv") if path.is_file()), None
    )
    if judged is None:
        raise MissingFileError(folder, "holds neither qrels.tsv nor qrels/test.tsv")
    grades = read_judgements(judged)
    texts = read_corpus(folder / "corpus.jsonl")
    queries = tuple(
        Query(name, record.text("text"), {file_name(text): grade for text, grade in grades[name].items()})
        for record in read_records(folder / "queries.jsonl")
        if (name := record.key("_id")) in grades
    )
    if not queries:
        raise DataFileError(
            folder / "queries.jsonl", f"holds no query that {judged.name} has a relevant text for"
        )
    return RetrievalSet(tuple(texts), queries)


def read_judgements(path: Path) -> dict[str, dict[str, float]]:
    """Read `query-id TAB corpus-id TAB grade` lines, with or without a heading; grades of 0 are left out.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: a line does not have three columns, or its grade is no number.
    """
    grades: dict[str, dict[str, float]] = {}
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        columns = line.split("\t")
        if not line.strip() or (
            number == 1 and columns[-1].strip().lower() in {"score", "grade", "relevance"}
        ):
            continue
        try:
            query, text, grade = columns[0].strip(), columns[1].strip(), float(columns[2])
        except (IndexError, ValueError):
            raise DataFileError(
                path, "must be query-id, corpus-id and grade, apart by tabs", number
            ) from None
        if grade > 0:
            grades.setdefault(query, {})[text] = grade
    return grades


def evaluate_retrieval(
    service: Measured,
    queries: Sequence[Query],
    *,
    title: str,
    collection: str = "default",
    progress: ProgressOf | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Evaluation:
    """Search for every query and rank documents by the first of their paragraphs that was found."""
    began = clock()
    service.search("warm up", collection=collection, k=1)
    outcomes: list[Outcome] = []
    for query in queries:
        outcomes.append(_outcome(service, query, collection, clock))
        if progress is not None:
            progress(len(outcomes), len(queries))
    return summed_up(title, outcomes, clock() - began)


def retrieval_tallies(ranked: Sequence[str], grades: Mapping[str, float]) -> dict[str, Tally]:
    """What one query adds to each metric, from its documents best first."""
    rank = first_rank(path in grades for path in ranked)
    return {
        "ndcg@10": (ndcg([grades.get(path, 0.0) for path in ranked], list(grades.values()), 10), 1),
        "recall@10": (len(grades.keys() & set(ranked[:10])) / len(grades), 1),
        "recall@100": (len(grades.keys() & set(ranked[:100])) / len(grades), 1),
        **rank_tallies(rank),
    }


def ndcg(found: Sequence[float], relevant: Sequence[float], depth: int) -> float:
    """Normalised discounted cumulative gain, with the grade itself as gain, as trec_eval and BEIR count it."""
    best = _gain(sorted(relevant, reverse=True)[:depth])
    return _gain(found[:depth]) / best if best else 0.0


def _gain(grades: Sequence[float]) -> float:
    return sum(grade / math.log2(rank + 1) for rank, grade in enumerate(grades, start=1))


def _outcome(service: Measured, query: Query, collection: str, clock: Callable[[], float]) -> Outcome:
    began, error = clock(), ""
    hits: tuple[Hit, ...] = ()
    degraded: tuple[str, ...] = ()
    try:
        found = service.search(query.text, collection=collection, k=DEPTH)
        hits, degraded = found.hits, found.degraded
    except QuestionError as refused:
        error = refused.code
    ms = (clock() - began) * 1000
    ranked = [] if error else _documents(service, query.text, collection, hits)
    rank = first_rank(path in query.grades for path in ranked)
    return Outcome(
        id=query.id,
        kind=KIND,
        question=query.text,
        answerable=True,
        right=rank is not None and rank <= 10,
        status="failed" if error else "searched",
        ms=ms,
        rank=rank,
        hits=tuple(JudgedHit(hit, hit.path in query.grades) for hit in hits[:10]),
        error=error,
        degraded=degraded,
        gold=tuple(Gold(path) for path in query.grades),
        tallies=retrieval_tallies(ranked, query.grades),
    )


def _documents(service: Measured, query: str, collection: str, hits: tuple[Hit, ...]) -> list[str]:
    """Paths by their first hit; where several paragraphs of one document took the places, look deeper."""
    asked = DEPTH
    while True:
        ranked = list(dict.fromkeys(hit.path for hit in hits))
        if len(ranked) >= DEPTH or len(hits) < asked or asked >= MAX_HITS:
            return ranked
        asked *= 2
        hits = service.search(query, collection=collection, k=asked).hits
