"""Attribution and verification: what the retrieved paragraphs say of a sentence, whatever its author cited."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.types import Hit
from qa.claims import atomic_claims, is_connective, is_refusal, split_sentences, without_markers
from qa.evidence import Evidence, Span, Window, evidence_of, gathered, windows
from qa.facts import Read, holds_verbatim
from qa.support import OBJECTED, Finding, Weights, assess, covered_odds, support
from qa.types import Quote, Verdict

__all__ = ["Judgement", "Similarity", "is_connective", "is_refusal", "judge", "split_sentences"]

CANDIDATES = 5
"""Windows of one sentence looked at closely for each claim."""
PAIRED = 2
"""Of these, how many are also read together with the sentence before and after."""
_CLOSE = 0.05
"""Windows that hold shares of a claim within this of each other speak of it equally closely."""
_APART = 0.2
_FAR = 0.3
_NEARLY_ALL = 0.85
_SOME_LENGTH = 5.0
ASKED = 3
"""Windows of a claim that the learned score is asked about."""
_LONGEST = 3000
"""Characters of what is still a sentence; more than that is not judged, and so not supported."""
_MOST_QUOTES = 3
_INVENTED = 0.1
"""Support that is left to a claim with an invented quotation."""
_QUOTED_WORDS = 3
_ELISION = re.compile(r"\.\.\.|…|\[[^\]]*\]")
_GATHERED = 5
"""Sentences of one document that may support a claim together; each of them must hold something new of it."""
_LONG = 8.0
"""Weight of words from which a claim may rest on several sentences; the words of a short one meet by chance."""
_WELL_COVERED = 0.8
"""Least coverage by sentences that were gathered: together they hold many words in any order."""
_TELLING = 0.7
"""Share of a claim at which a single sentence that objects forbids to gather others."""
_HEARD = 0.35
"""The same for one that says the opposite or puts another in a place, whose words are many."""
_VALUES = frozenset({"numbers", "dates", "names"})
_MERGED_SCORE = 0.7
SUPPORTED = 0.5
"""Least support of a supported claim."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the evidence says of a sentence, how surely (0..1), which layer decided, and the spans that say so."""

    verdict: Verdict
    score: float
    layer: str
    quotes: tuple[Quote, ...] = ()


class Similarity(Protocol):
    """Learned support of a claim by windows of the evidence, 0..1 each.

    `weights` say what it counts beside the words, and whether it may outweigh an objection.
    """

    weights: Weights

    def scores(self, claim: Read, windows: Sequence[Window], /) -> Sequence[float]:
        """Support of the claim by each window."""
        ...


def judge(
    claim: str, hits: Sequence[Hit], similarity: Similarity | None = None, *, question: str = ""
) -> Judgement:
    """Match a sentence against all hits and say what they make of it."""
    text = without_markers(claim)
    if not hits or not text or len(text) > _LONGEST or is_connective(text):
        return Judgement("unsupported", 0.0, "coverage")
    evidence = evidence_of(hits, question)
    whole = evidence.reading(text)
    if _invents_quotation(whole, hits):
        return Judgement("unsupported", _INVENTED, "quote")
    found = _whole_or_parts(whole, evidence, similarity)
    if found.verdict in ("supported", "contradicted"):
        return found
    return _gathered(whole, evidence, similarity) or found


def _whole_or_parts(claim: Read, evidence: Evidence, similarity: Similarity | None) -> Judgement:
    """A sentence as one claim where that settles it, else by the claims it is made of."""
    spans = atomic_claims(claim.text)
    whole = _best(claim, evidence, similarity)
    if len(spans) == 1 or whole.verdict == "contradicted" or whole.score == 1.0:
        return whole
    parts = [_best(evidence.reading(claim.text[start:end]), evidence, similarity) for start, end in spans]
    found = _combined(parts, whole.score)
    return whole if whole.verdict == "supported" and found.verdict in ("partial", "unsupported") else found


def _invents_quotation(claim: Read, hits: Sequence[Hit]) -> bool:
    """Whether the claim puts words in quotation marks that stand in no hit; one or two words may be irony."""
    pieces = [piece for quotation in claim.quotations for piece in _ELISION.split(quotation)]
    long = [piece for piece in pieces if len(piece.split()) >= _QUOTED_WORDS]
    return any(not any(holds_verbatim(hit.text, piece) for hit in hits) for piece in long)


def _gathered(claim: Read, evidence: Evidence, similarity: Similarity | None) -> Judgement | None:
    """Support of a claim by several sentences of one document together, where no single one objects closely."""
    single = [assess(claim, window) for window in windows(evidence, claim, CANDIDATES, 0)]
    if any(
        _reach(f) >= (_TELLING if f.layer in _VALUES else _HEARD)
        for f in single
        if f.state != "agrees" and not f.foreign
    ):
        return None
    for window in gathered(evidence, claim, _GATHERED):
        finding = assess(claim, window)
        coverage = finding.coverage
        full = coverage.size >= _LONG and min(coverage.words, coverage.all) >= _WELL_COVERED
        (score,) = _supports(claim, [finding], similarity) if full else (0.0,)
        if finding.state == "agrees" and score >= SUPPORTED:
            quotes = _quotes_of(evidence, (window.span, *window.others))
            return Judgement("supported", min(score, _MERGED_SCORE), "coverage", quotes)
    return None


def _combined(parts: Sequence[Judgement], least: float) -> Judgement:
    """The verdict of a sentence from those of its claims: the worst that is needed; `least` is its own support."""
    quotes = _distinct(q for part in parts for q in part.quotes[:1])
    wrong = next((part for part in parts if part.verdict == "contradicted"), None)
    if wrong is not None:
        return wrong
    good = [part for part in parts if part.verdict == "supported"]
    worst = min(parts, key=lambda part: part.score)
    if len(good) == len(parts):
        return Judgement("supported", worst.score, worst.layer, quotes)
    score = min(max(least, sum(part.score for part in parts) / len(parts)), SUPPORTED - 0.01)
    if good:
        return Judgement(
            "partial", score, worst.layer, _distinct(q for part in good for q in part.quotes[:1])
        )
    return Judgement("unsupported", score, worst.layer)


def _best(claim: Read, evidence: Evidence, similarity: Similarity | None) -> Judgement:
    """One claim against its nearest windows."""
    nearest = windows(evidence, claim, CANDIDATES, PAIRED)
    findings = list(_standing([assess(claim, window) for window in nearest], similarity))
    if not findings:
        return Judgement("unsupported", 0.0, "coverage")
    scored = sorted(
        zip(_supports(claim, findings, similarity), findings, strict=True), key=lambda pair: -pair[0]
    )
    score, best = scored[0]
    against = max((f for f in findings if f.state == "conflicts"), key=_reach, default=None)
    if score >= SUPPORTED and not _outweighed(best, findings):
        agreeing = [f for s, f in scored if s >= SUPPORTED]
        layer = best.layer if support(best) >= SUPPORTED and best.state == "agrees" else "similarity"
        return Judgement("supported", score, layer, _quotes(agreeing))
    closest = max(findings, key=_reach)
    if against is not None and _reach(against) >= _reach(closest) - _CLOSE:
        return Judgement("contradicted", min(score, OBJECTED), against.layer, _quotes([against]))
    return Judgement("unsupported", min(score, SUPPORTED - 0.01), closest.layer)


def _supports(claim: Read, findings: Sequence[Finding], similarity: Similarity | None) -> list[float]:
    """Support by each window; the learned score is asked, in one call, where no fact decides and it is no quotation."""
    supports = [support(finding) for finding in findings]
    if similarity is None or max(supports) == 1.0:
        return supports
    weights = similarity.weights
    open_ = [n for n, f in enumerate(findings) if not f.firm and weights.of_objection(f.worst) is not None]
    asked = sorted(open_, key=lambda n: -covered_odds(findings[n]))[:ASKED]
    # words alone do not do where a model can be asked
    supports = [min(known, SUPPORTED - 0.01) for known in supports]
    if asked:
        learned = similarity.scores(claim, [findings[n].window for n in asked])
        for n, score in zip(asked, learned, strict=True):
            supports[n] = support(findings[n], score, weights)
    return supports


def _reach(finding: Finding) -> float:
    return finding.coverage.inside


def _outweighed(best: Finding, findings: Sequence[Finding]) -> bool:
    """Whether a window that speaks of the claim more closely objects to it; one about others does not count."""
    return not best.verbatim and any(
        _objects(f, _reach(best))
        for f in findings
        if f.state != "agrees" and not f.foreign and not _leaves_open(f, best)
    )


def _leaves_open(finding: Finding, best: Finding) -> bool:
    """Whether a window merely does not say what another sentence of its own document says."""
    same = finding.window.hit.document_id == best.window.hit.document_id
    return same and finding.state == "lacks"


def _objects(finding: Finding, reached: float) -> bool:
    """Whether a finding against a claim stands closer to it than a window that reaches so far.

    One that merely lacks a fact must say nearly all the rest of a claim of some length.
    """
    reach = _reach(finding)
    if finding.state == "conflicts":
        # A window that supports has the claim's value; one with another value may tell of another event
        return reach > reached + (_APART if finding.layer in ("numbers", "dates") else _CLOSE)
    return reach >= _NEARLY_ALL and finding.coverage.size >= _SOME_LENGTH and reach > reached + _FAR


def _standing(findings: Sequence[Finding], similarity: Similarity | None) -> Iterator[Finding]:
    """All findings but those of two sentences of which one alone contradicts the claim: the other may hide it.

    What a model may outweigh contradicts nothing by itself.
    """
    may = similarity is not None and similarity.weights.conflicts is not None
    against = [f.window for f in findings if f.state == "conflicts" and (f.firm or not may)]
    for finding in findings:
        if not any(window.inside(finding.window) for window in against):
            yield finding


def _quotes(findings: Sequence[Finding]) -> tuple[Quote, ...]:
    """Spans in the documents, best first, one for each paragraph."""
    places = ((f.window.hit, f.window.span) for f in findings)
    return _distinct(Quote(hit, hit.start + start, hit.start + end) for hit, (_, start, end) in places)[
        :_MOST_QUOTES
    ]


def _quotes_of(evidence: Evidence, spans: Sequence[Span]) -> tuple[Quote, ...]:
    hits = ((evidence.hits[place], start, end) for place, start, end in spans)
    return _distinct(Quote(hit, hit.start + start, hit.start + end) for hit, start, end in hits)


def _distinct(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    """The first quote of each paragraph."""
    kept: dict[tuple[str, int], Quote] = {}
    for quote in quotes:
        kept.setdefault((quote.hit.document_id, quote.hit.paragraph), quote)
    return tuple(kept.values())
