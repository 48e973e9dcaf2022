"""How figures and texts are worded for people, on a terminal and on a page alike."""

from qa.evaluate.metrics import TIMES, separation
from qa.evaluate.types import Evaluation, Outcome

LABELS = {
    "hit@1": "gold paragraph found first",
    "hit@3": "among the first 3",
    "hit@5": "among the first 5",
    "hit@10": "among the first 10",
    "ndcg@10": "gain, by rank and grade",
    "recall@10": "relevant texts in the first 10",
    "recall@100": "relevant texts in the first 100",
    "answer_accuracy": "right answers",
    "citation_precision": "citations at a gold line",
    "citation_recall": "questions with a gold citation",
    "refused_unanswerable": "unanswerable refused",
    "refused_answerable": "answerable refused",
    "quote_exact": "quotes exact",
    "mrr": "mean reciprocal rank",
    "macro_f1": "mean F1 of the verdicts",
    "f1": "F1 of supported",
    "f1_partial": "F1 of partial",
    "f1_unsupported": "F1 of unsupported",
    "f1_contradicted": "F1 of contradicted",
    "auroc": "the score tells supported from the rest",
    "claim_accuracy": "right verdicts",
    "majority_macro_f1": "baseline: always the commonest, mean F1",
    "all_supported_f1": "baseline: all supported, F1",
    "cosine_macro_f1": "baseline: a cosine, mean F1",
    "cosine_f1": "baseline: a cosine, F1 of supported",
    "cosine_auroc": "baseline: a cosine tells them apart",
    "p50_ms": "time, median",
    "p95_ms": "time, 95 %",
}

KIND_COLUMNS = {
    "ndcg@10": "nDCG@10",
    "recall@100": "R@100",
    "hit@1": "hit@1",
    "hit@5": "hit@5",
    "mrr": "MRR",
    "claim_accuracy": "right",
    "answer_accuracy": "right",
    "citation_precision": "cite P",
    "citation_recall": "cite R",
    "refused_unanswerable": "refused",
    "refused_answerable": "refused in error",
    "p50_ms": "median",
}
"""The columns of a table by kind, with short headings."""


def label(metric: str) -> str:
    """A metric's name in words, where it has one."""
    return LABELS.get(metric, metric)


def figure(metric: str, value: float | None) -> str:
    """A metric's value: three places for shares, milliseconds for times, a dash for none."""
    if value is None:
        return "–"
    return milliseconds(value) if metric in TIMES else f"{value:.3f}"


def change(metric: str, value: float) -> str:
    """A difference between two values of a metric, always with its sign."""
    return f"{value:+,.{_places(value)}f} ms" if metric in TIMES else f"{value:+.3f}"


def milliseconds(value: float) -> str:
    """A time, with places only where it is short."""
    return f"{value:,.{_places(value)}f} ms"


def faults(outcome: Outcome) -> tuple[str, ...]:
    """What is wrong with an outcome, in words; none where nothing is."""
    found = [fault for fault in (_fault(outcome),) if fault]
    if outcome.answered and outcome.answerable and outcome.gold and not _cites_gold(outcome):
        found.append("no citation at a gold line")
    if not all(cited.exact for cited in outcome.citations):
        found.append("quote differs from the stored text")
    return tuple(found)


def _fault(outcome: Outcome) -> str:
    """What is wrong with what was said; empty where nothing is."""
    if outcome.error:
        return f"failed: {outcome.error}"
    if outcome.status == "abstained":
        return "refused" if outcome.answerable else ""
    if not outcome.answerable:
        return "answered the unanswerable"
    if outcome.right:
        return ""
    words = {"searched": "nothing relevant in the first ten", "judged": f"said {outcome.answer}"}
    return words.get(outcome.status, "wrong answer")


def kind_columns(evaluation: Evaluation) -> list[str]:
    """The metrics a table by kind shows: those that at least one kind has."""
    kinds = evaluation.by_kind.values()
    return [name for name in KIND_COLUMNS if any(metrics.get(name) is not None for metrics in kinds)]


def counts(evaluation: Evaluation) -> str:
    """How many questions there were, in words."""
    total = len(evaluation.outcomes)
    silent = sum(not outcome.answerable for outcome in evaluation.outcomes)
    for status, items in (("searched", "queries"), ("judged", "claims")):
        if any(outcome.status == status for outcome in evaluation.outcomes):
            return f"{total} {items}"
    return f"{total} questions, {silent} of them unanswerable" if silent else f"{total} questions"


def separates(evaluation: Evaluation) -> str:
    """How well confidence tells answerable from unanswerable questions, in words; empty when that cannot be said."""
    area = separation(evaluation.outcomes)
    return "" if area is None else f"confidence tells answerable from unanswerable: AUC {area:.3f}"


def visible(text: str, limit: int | None = None) -> str:
    """Text on one line that can do nothing to a terminal: control characters shown as a replacement sign."""
    shown = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in " ".join(text.split())
    )
    return shown if limit is None or len(shown) <= limit else shown[: limit - 1] + "…"


def _cites_gold(outcome: Outcome) -> bool:
    return any(cited.gold for cited in outcome.citations)


def _places(ms: float) -> int:
    return 1 if abs(ms) < 100 else 0
