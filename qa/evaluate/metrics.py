"""Figures from outcomes: pure functions, each ratio a sum of numerators over a sum of denominators."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from qa.evaluate.types import Outcome, Tally

HIT_RANKS = (1, 3, 5, 10)
ANSWER_RATIOS = (
    *(f"hit@{rank}" for rank in HIT_RANKS),
    "mrr",
    "answer_accuracy",
    "citation_precision",
    "citation_recall",
    "refused_unanswerable",
    "refused_answerable",
    "quote_exact",
)
SEARCH_RATIOS = ("ndcg@10", "recall@10", "recall@100", *(f"hit@{rank}" for rank in HIT_RANKS), "mrr")
CLASS_RATIOS = ("f1", "f1_partial", "f1_unsupported", "f1_contradicted")
"""F1 of each verdict; of `supported` first, which is what F1 alone means."""

CLAIM_METRICS = (
    "macro_f1",
    *CLASS_RATIOS,
    "auroc",
    "claim_accuracy",
    "majority_macro_f1",
    "all_supported_f1",
    "cosine_macro_f1",
    "cosine_f1",
    "cosine_auroc",
)
TIMES = ("p50_ms", "p95_ms")
KNOWN = tuple(dict.fromkeys((*CLAIM_METRICS, *SEARCH_RATIOS, *ANSWER_RATIOS, *TIMES)))
LOWER_IS_BETTER = frozenset(("refused_answerable", *TIMES))


def answer_tallies(outcome: Outcome) -> dict[str, Tally]:
    """What one asked question adds to each ratio; (0, 0) where it does not count.

    Retrieval and citation recall count answerable questions that name gold lines. Citation precision counts every
    citation of an answered question: on an unanswerable one none is right.
    """
    answerable, judged = outcome.answerable, outcome.answerable and bool(outcome.gold)
    refused = outcome.status == "abstained"
    gold = sum(cited.gold for cited in outcome.citations)
    precise = outcome.answered and (judged or not answerable)
    return {
        **rank_tallies(outcome.rank, counts=judged),
        "answer_accuracy": _tally(outcome.right, counts=answerable),
        "citation_precision": (gold, len(outcome.citations)) if precise else (0, 0),
        "citation_recall": _tally(outcome.answered and gold > 0, counts=judged),
        "refused_unanswerable": _tally(refused, counts=not answerable),
        "refused_answerable": _tally(refused, counts=answerable),
        "quote_exact": (sum(cited.exact for cited in outcome.citations), len(outcome.citations)),
    }


def rank_tallies(rank: int | None, *, counts: bool = True) -> dict[str, Tally]:
    """hit@k and the reciprocal rank of the first gold hit, which is None when there is none."""
    hits = {f"hit@{top}": _tally(rank is not None and rank <= top, counts=counts) for top in HIT_RANKS}
    return {**hits, "mrr": _tally(1 / rank if rank else 0.0, counts=counts)}


def summarise(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    """Every metric over these outcomes; None where none of them counts. Times leave failed questions out."""
    times = [outcome.ms for outcome in outcomes if outcome.status != "failed"]
    return {
        **ratios([outcome.tallies for outcome in outcomes]),
        "p50_ms": percentile(times, 50),
        "p95_ms": percentile(times, 95),
    }


def summarise_kinds(outcomes: Sequence[Outcome]) -> dict[str, dict[str, float | None]]:
    """The same for each kind of question, kinds in order of the alphabet."""
    kinds = sorted({outcome.kind for outcome in outcomes})
    return {kind: summarise([outcome for outcome in outcomes if outcome.kind == kind]) for kind in kinds}


def ratios(tallied: Sequence[Mapping[str, Tally]]) -> dict[str, float | None]:
    """Sum of numerators over sum of denominators, metric by metric."""
    names = dict.fromkeys(name for tallies in tallied for name in tallies)
    return {name: _ratio(tallies.get(name, (0, 0)) for tallies in tallied) for name in names}


def with_macro_f1(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    """The figures with the mean of the F1 of each class; a class that nobody has and nobody gave counts as 0."""
    each = [figures[name] or 0.0 for name in CLASS_RATIOS if name in figures]
    return {**({"macro_f1": sum(each) / len(each)} if each else {}), **figures}


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The percentile between the two nearest values, by linear interpolation."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def risk_coverage(outcomes: Sequence[Outcome]) -> list[tuple[float, float]]:
    """Points (coverage, risk) as ever less sure answers are let through; the last is what the system does.

    Coverage is the share of all questions that are answered, risk the share of those answers that are wrong; to
    answer an unanswerable question is wrong. Equal confidence gives one point: their order means nothing.
    """
    answered = sorted((item for item in outcomes if item.answered), key=lambda item: -item.confidence)
    points: list[tuple[float, float]] = []
    covered = wrong = 0
    for _, group in groupby(answered, key=lambda item: item.confidence):
        for item in group:
            covered += 1
            wrong += not item.right
        points.append((covered / len(outcomes), wrong / covered))
    return points


def separation(outcomes: Sequence[Outcome]) -> float | None:
    """How well confidence tells answerable from unanswerable questions: the area under the ROC curve.

    The share of pairs in which the answerable question has the higher confidence; a tie counts half. None without
    questions of both sorts.
    """
    judged = [outcome for outcome in outcomes if outcome.status != "failed"]
    return area_under_curve(
        [outcome.confidence for outcome in judged if outcome.answerable],
        [outcome.confidence for outcome in judged if not outcome.answerable],
    )


def area_under_curve(above: Sequence[float], below: Sequence[float]) -> float | None:
    """The share of pairs in which the first has the higher score; a tie counts half. None without both."""
    if not above or not below:
        return None
    ordered = sorted(below)
    won = sum(bisect_left(ordered, value) + bisect_right(ordered, value) for value in above)
    return won / (2 * len(above) * len(ordered))


def _tally(value: float, *, counts: bool) -> Tally:
    return (float(value), 1) if counts else (0, 0)


def _ratio(tallies: Iterable[Tally]) -> float | None:
    numerator = denominator = 0.0
    for above, below in tallies:
        numerator += above
        denominator += below
    return numerator / denominator if denominator else None
