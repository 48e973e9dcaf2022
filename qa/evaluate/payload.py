"""The JSON of a run: the contract of `nutgraf eval --json`, and what `--compare` reads back."""

from collections.abc import Mapping, Sequence
from itertools import chain

from qa.evaluate.compare import Comparison
from qa.evaluate.metrics import separation
from qa.evaluate.types import Evaluation, Metrics, Outcome
from qa.payload import Payload, citation_payload, hit_payload

DIGITS = 6


def evaluation_payload(
    evaluation: Evaluation, comparison: Comparison | None = None, missed: Sequence[str] = ()
) -> Payload:
    """Everything a run found out; `comparison` only where there was one."""
    payload: Payload = {
        "metrics": _figures(evaluation.metrics),
        "by_kind": {
            kind: {"questions": _size(evaluation, kind), **_figures(metrics)}
            for kind, metrics in evaluation.by_kind.items()
        },
        "questions": [outcome_payload(outcome) for outcome in evaluation.outcomes],
        "run": {
            "title": evaluation.title,
            "questions": len(evaluation.outcomes),
            "seconds": round(evaluation.seconds, 3),
            "answerers": answerers(evaluation),
            "degraded": degraded(evaluation),
            "confidence_auc": separation(evaluation.outcomes),
        },
        "missed_floors": list(missed),
    }
    return payload if comparison is None else {**payload, "comparison": comparison_payload(comparison)}


def outcome_payload(outcome: Outcome) -> Payload:
    """One question; its tallies are [numerator, denominator] by metric."""
    return {
        "id": outcome.id,
        "kind": outcome.kind,
        "question": outcome.question,
        "standalone": outcome.standalone,
        "answerable": outcome.answerable,
        "right": outcome.right,
        "status": outcome.status,
        "answer": outcome.answer,
        "confidence": round(outcome.confidence, DIGITS),
        "rank": outcome.rank,
        "ms": round(outcome.ms, 3),
        "error": outcome.error or None,
        "answerer": outcome.answerer,
        "degraded": list(outcome.degraded),
        "expected": list(outcome.expected),
        "cite_any": [[gold.path, gold.line] for gold in outcome.gold],
        "citations": [
            {**citation_payload(cited.citation), "gold": cited.gold, "exact": cited.exact}
            for cited in outcome.citations
        ],
        "hits": [{**hit_payload(item.hit), "gold": item.gold} for item in outcome.hits],
        "tallies": {name: list(tally) for name, tally in outcome.tallies.items()},
    }


def comparison_payload(comparison: Comparison) -> Payload:
    """Differences are this run minus the other; `low` and `high` bound the 95 % interval."""
    return {
        "other": comparison.other,
        "paired": comparison.paired,
        "metrics": {
            item.metric: {
                "this": round(item.ours, DIGITS),
                "other": round(item.theirs, DIGITS),
                "difference": round(item.change, DIGITS),
                "low": round(item.low, DIGITS),
                "high": round(item.high, DIGITS),
                "clear": item.clear,
            }
            for item in comparison.differences
        },
        "gained": list(comparison.gained),
        "lost": list(comparison.lost),
        "only_here": list(comparison.only_here),
        "only_there": list(comparison.only_there),
    }


def answerers(evaluation: Evaluation) -> list[str]:
    """Who wrote the drafts, each named once."""
    return list(dict.fromkeys(outcome.answerer for outcome in evaluation.outcomes if outcome.answerer))


def degraded(evaluation: Evaluation) -> list[str]:
    """Parts that could not take part in at least one answer."""
    return list(dict.fromkeys(chain.from_iterable(outcome.degraded for outcome in evaluation.outcomes)))


def _figures(metrics: Metrics) -> Mapping[str, float | None]:
    return {name: None if value is None else round(value, DIGITS) for name, value in metrics.items()}


def _size(evaluation: Evaluation, kind: str) -> int:
    return sum(outcome.kind == kind for outcome in evaluation.outcomes)
