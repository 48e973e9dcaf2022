"""Judging claims, and how that compares with two simple baselines: always the same verdict, and a cosine."""

from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np

from index.errors import ModelError
from index.sentences import sentence_spans
from qa.evaluate.claims import VERDICTS, Claim, ClaimSet, f1, macro_f1, words
from qa.evaluate.metrics import area_under_curve, percentile, ratios, with_macro_f1
from qa.evaluate.run import spread
from qa.evaluate.types import Embedding, Evaluation, JudgedHit, Judging, Metrics, Outcome, ProgressOf, Tally
from qa.types import Verdict

MOST_FITTING = 300
"""Claims that a baseline's threshold is fitted on."""

_NEAREST = 3
_STEPS = 100


def evaluate_claims(
    service: Judging,
    found: ClaimSet,
    *,
    title: str,
    progress: ProgressOf | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Evaluation:
    """Judge each claim by the texts it comes with; nothing is searched for.

    Verdicts that no claim of the set should get count as the nearest that one can: unsupported.
    """
    began = clock()
    claims, labels = found.claims, frozenset(claim.label for claim in found.claims)
    fitting = spread(found.fitting, MOST_FITTING)
    total, done = 2 * len(claims) + len(fitting), 0
    service.judge("warm up", claims[0].hits)

    def advance() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(done, total)

    outcomes = []
    for claim in claims:
        outcomes.append(_outcome(service, claim, labels, clock))
        advance()
    gold = [claim.label for claim in claims]
    metrics: Metrics = {
        **with_macro_f1(ratios([outcome.tallies for outcome in outcomes])),
        "auroc": area_under_curve(
            [outcome.confidence for outcome in outcomes if outcome.kind == "supported"],
            [outcome.confidence for outcome in outcomes if outcome.kind != "supported"],
        ),
        **constant_baselines(gold),
        **_cosine_baselines(service, claims, fitting, advance),
        **_times(outcomes),
    }
    return Evaluation(title, tuple(outcomes), metrics, _by_kind(outcomes), clock() - began)


def constant_baselines(gold: Sequence[Verdict]) -> dict[str, float]:
    """What always giving the most frequent verdict scores, and the F1 of calling everything supported."""
    most = Counter(gold).most_common(1)[0][0]
    return {
        "majority_macro_f1": macro_f1(gold, [most] * len(gold)),
        "all_supported_f1": f1([label == "supported" for label in gold], [True] * len(gold)),
    }


def cosine(service: Embedding, claim: Claim) -> float:
    """The largest cosine of a claim with one of the three sentences that share most words with it."""
    sentences = [hit.text[start:end] for hit in claim.hits for start, end in sentence_spans(hit.text)]
    wanted = words(claim.text)
    nearest = sorted(sentences, key=lambda text: -len(wanted & words(text)))[:_NEAREST]
    if not nearest:
        return 0.0
    vectors = np.asarray(service.embed([claim.text, *nearest]).vectors)
    return float(max(vectors[1:] @ vectors[0]))


def best_threshold(scores: Sequence[float], score_of: Callable[[list[Verdict]], float]) -> float:
    """The threshold from which on `supported` scores best, where everything below it is unsupported."""
    return max((step / _STEPS for step in range(1, _STEPS)), key=lambda t: score_of(sides(scores, t)))


def sides(scores: Sequence[float], threshold: float) -> list[Verdict]:
    """The verdicts that a score alone gives."""
    return ["supported" if score >= threshold else "unsupported" for score in scores]


def _cosine_baselines(
    service: Judging, claims: Sequence[Claim], fitting: Sequence[Claim], advance: Callable[[], None]
) -> dict[str, float | None]:
    """The cosine's figures at thresholds fitted on the training split, else at the best for these very claims."""
    try:
        every = []
        for claim in (*claims, *fitting):
            every.append(cosine(service, claim))
            advance()
    except ModelError:  # the index is searched by words alone: there is no cosine
        return {}
    scores, fitted = every[: len(claims)], every[len(claims) :]
    gold = [claim.label for claim in claims]
    known, values = ([claim.label for claim in fitting], fitted) if fitting else (gold, scores)
    for_macro = best_threshold(values, lambda said: macro_f1(known, said))
    for_f1 = best_threshold(values, lambda said: _supported_f1(known, said))
    return {
        "cosine_macro_f1": macro_f1(gold, sides(scores, for_macro)),
        "cosine_f1": _supported_f1(gold, sides(scores, for_f1)),
        "cosine_auroc": area_under_curve(
            [score for score, label in zip(scores, gold, strict=True) if label == "supported"],
            [score for score, label in zip(scores, gold, strict=True) if label != "supported"],
        ),
    }


def _supported_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    return f1([label == "supported" for label in gold], [label == "supported" for label in said])


def _outcome(
    service: Judging, claim: Claim, labels: frozenset[Verdict], clock: Callable[[], float]
) -> Outcome:
    began = clock()
    judged = service.judge(claim.text, claim.hits)
    ms = (clock() - began) * 1000
    said = judged.verdict if judged.verdict in labels else "unsupported"
    return Outcome(
        id=claim.id,
        kind=claim.label,
        question=claim.text,
        answerable=True,
        right=said == claim.label,
        status="judged",
        ms=ms,
        answer=f"{judged.verdict} ({judged.layer})",
        hits=tuple(JudgedHit(hit, hit.document_id in claim.deciding) for hit in claim.hits),
        confidence=judged.score,
        expected=(claim.label,),
        tallies=claim_tallies(claim.label, said, labels),
    )


def claim_tallies(gold: Verdict, said: Verdict, labels: frozenset[Verdict]) -> dict[str, Tally]:
    """What one claim adds to the F1 of each class, which is a sum over a sum too: twice both, over gold and said."""
    each: dict[str, Tally] = {}
    for label in VERDICTS:
        if label in labels:
            is_gold, is_said = gold == label, said == label
            name = "f1" if label == "supported" else f"f1_{label}"
            each[name] = (2.0 * (is_gold and is_said), float(is_gold + is_said))
    return {"claim_accuracy": (float(gold == said), 1), **each}


def _by_kind(outcomes: Sequence[Outcome]) -> dict[str, Metrics]:
    found: dict[str, Metrics] = {}
    for kind in VERDICTS:
        of_kind = [outcome for outcome in outcomes if outcome.kind == kind]
        if of_kind:
            right = sum(outcome.right for outcome in of_kind)
            found[kind] = {"claim_accuracy": right / len(of_kind), **_times(of_kind)}
    return found


def _times(outcomes: Sequence[Outcome]) -> dict[str, float | None]:
    times = [outcome.ms for outcome in outcomes]
    return {"p50_ms": percentile(times, 50), "p95_ms": percentile(times, 95)}
