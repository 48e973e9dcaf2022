"""Claim verification sets: claims, what is known of them, and the texts that they are to be held against."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import get_args

from index.types import Hit
from qa.evaluate.corpus import CorpusText, read_corpus
from qa.evaluate.records import DataFileError, Record, read_records
from qa.types import Verdict

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

FITTING = "train"
"""The split that thresholds of baselines are fitted on; the others are judged."""

SENTENCES = 5
"""Sentences of an article that make a paragraph."""

MOST_PARAGRAPHS = 8
"""Paragraphs of an article that a claim is held against: those that share most words with it."""

_LABELS: Mapping[str, Verdict] = {
    **dict.fromkeys(("support", "supports", "supported", "entailment", "entailed"), "supported"),
    **dict.fromkeys(("partially supported", "partial", "partially_supported"), "partial"),
    **dict.fromkeys(("contradict", "contradicts", "contradicted", "contradiction"), "contradicted"),
    **dict.fromkeys(("refute", "refutes", "refuted"), "contradicted"),
    **dict.fromkeys(("none", "nei", "not enough info", "neutral", "unsupported"), "unsupported"),
    **dict.fromkeys(("not supported", "not_supported"), "unsupported"),
}

_STOP = frozenset(
    """the a an of in to and for with on by is was were are that this as at from be or it its their his her which
    who not has have had""".split()
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim, the verdict it should get, the paragraphs it is judged by, and ids of those known to decide it."""

    id: str
    text: str
    label: Verdict
    hits: tuple[Hit, ...]
    deciding: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ClaimSet:
    """The claims to judge, those of the training split, if there is one beside another, and how many had no text."""

    claims: tuple[Claim, ...]
    fitting: tuple[Claim, ...] = ()
    left_out: int = 0


def read_claims(path: Path) -> ClaimSet:
    """Read `{"id", "claim", …}` lines with evidence in one of two layouts.

    `"evidence_sentences"` beside a `"label"`, as in WiCE; or `"cited_doc_ids"` of `corpus.jsonl` in the same folder,
    and `"evidence"` with a `"doc_id"` and a `"label"` for each text that decides, as in SciFact. A claim that comes
    with no text to hold it against, as in test splits without answers, is left out.

    Raises:
        MissingFileError: a file cannot be opened.
        DataFileError: a file is not what it should be, or holds no claim.
    """
    records = list(read_records(path))
    cites = any("cited_doc_ids" in record.fields for record in records)
    corpus = {text.id: text for text in read_corpus(path.parent / "corpus.jsonl")} if cites else {}
    read = [(record.text("split", ""), _claim(record, corpus)) for record in records]
    known = [(split, claim) for split, claim in read if claim.hits]
    if not known:
        raise DataFileError(path, "holds no claim with a text to hold it against")
    judged = tuple(claim for split, claim in known if split != FITTING)
    fitting = tuple(claim for split, claim in known if split == FITTING)
    left_out = len(read) - len(known)
    return ClaimSet(judged, fitting, left_out) if judged else ClaimSet(fitting, (), left_out)


def words(text: str) -> frozenset[str]:
    """The words of a text that say something."""
    return frozenset(re.findall(r"[a-z]{3,}", text.lower())) - _STOP


def _claim(record: Record, corpus: Mapping[str, CorpusText]) -> Claim:
    text = record.text("claim")
    if "cited_doc_ids" in record.fields:
        cited = [str(name) for name in record.items("cited_doc_ids")]
        evidence = [_evidence(record, item) for item in record.items("evidence")]
        label = evidence[0][1] if evidence else "unsupported"
        hits = tuple(_hit(name, corpus[name].title, corpus[name].text, 1) for name in cited if name in corpus)
        return Claim(record.key("id"), text, label, hits, frozenset(name for name, _ in evidence))
    sentences = [item for item in record.items("evidence_sentences") if isinstance(item, str)]
    if len(sentences) < max(1, len(record.items("evidence_sentences"))):
        raise record.error("needs 'cited_doc_ids', or 'evidence_sentences' that are a list of texts")
    return Claim(record.key("id"), text, _label(record, record.text("label")), article_hits(text, sentences))


def article_hits(claim: str, sentences: Sequence[str]) -> tuple[Hit, ...]:
    """The paragraphs of an article that share most words with a claim, in the article's order."""
    paragraphs = [" ".join(sentences[n : n + SENTENCES]) for n in range(0, len(sentences), SENTENCES)]
    wanted = words(claim)
    ranked = sorted(range(len(paragraphs)), key=lambda n: -len(wanted & words(paragraphs[n])))
    title = sentences[0] if sentences else ""
    return tuple(
        _hit("article", title, paragraphs[n], n + 1)
        for n in sorted(ranked[:MOST_PARAGRAPHS])
        if paragraphs[n].strip()
    )


def _evidence(record: Record, item: object) -> tuple[str, Verdict]:
    if not isinstance(item, Mapping) or not isinstance(item.get("label"), str):
        raise record.error("'evidence' must be a list of objects with a 'doc_id' and a 'label'")
    return str(item.get("doc_id", "")), _label(record, item["label"])


def _label(record: Record, label: str) -> Verdict:
    try:
        return _LABELS[label.strip().lower()]
    except KeyError:
        known = ", ".join(sorted(_LABELS))
        raise record.error(f"no label that is known: {label[:40]!r}; known are {known}") from None


def _hit(name: str, title: str, text: str, number: int) -> Hit:
    return Hit(
        document_id=name,
        path=name,
        title=title,
        date=None,
        paragraph=number,
        line_start=number,
        line_end=number,
        start=0,
        end=len(text),
        page=None,
        text=text,
        sha256=sha256(text.encode()).hexdigest(),
        context=title if name != "article" else "",
        score=0.0,
    )


def f1(gold: Iterable[bool], said: Iterable[bool]) -> float:
    """The harmonic mean of precision and recall; 0 where nothing is right."""
    pairs = list(zip(gold, said, strict=True))
    both = sum(g and s for g, s in pairs)
    return 2 * both / sum(g + s for g, s in pairs) if both else 0.0


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """The mean of the F1 of each class there is."""
    labels = sorted(set(gold))
    each = [f1([g == label for g in gold], [s == label for s in said]) for label in labels]
    return sum(each) / len(each) if each else 0.0
