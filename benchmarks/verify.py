"""How well verification tells true sentences from falsified ones.

    python benchmarks/verify.py planted seeds [--scifact DIR] [--learned reader]
    python benchmarks/verify.py scifact DIR [--learned reader] [--baseline]
    python benchmarks/verify.py wice DIR [--learned reader] [--baseline]
    python benchmarks/verify.py heldout benchmarks/heldout [--learned reader]

`planted` falsifies one number, date, name, negation or role in true sentences and restates others lightly. A falsified
sentence is caught, and a true one flagged, when its verdict is not `supported`. `heldout` searches for what each claim
of `claims-CORPUS[-N].jsonl` is judged by, in the folder CORPUS beside it or in `seeds/`.
"""

import argparse
import json
import random
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from claim_sets import held_out
from planted import KINDS, Case, cases

from index.embed import OnnxEmbedder
from index.load import prepare
from index.models import DEFAULT_EMBEDDER, DEFAULT_RERANKER, carried
from index.passage_reader import OnnxReader
from index.rerank import OnnxReranker
from index.sentences import sentence_spans
from index.types import Hit
from qa.evaluate.claims import Claim, f1, macro_f1, read_claims, words
from qa.evaluate.metrics import area_under_curve
from qa.evaluate.verification import constant_baselines, cosine
from qa.similarity import EmbedderSimilarity, ReaderSimilarity, RerankerSimilarity
from qa.types import Embedded
from qa.verify import Judgement, Similarity, judge

HITS = 5


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    learned = _similarity(options.learned)
    if options.what != "planted" and not options.data.is_dir():
        print(
            f"{options.data}: no such folder; give the folder that holds the data",
            file=sys.stderr,
        )
        return 2
    reports = {"planted": _planted, "scifact": _scifact, "wice": _wice, "heldout": _heldout}
    print(json.dumps(reports[options.what](options, learned), indent=2))
    return 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("planted", "scifact", "wice", "heldout"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--scifact", type=Path, help="planted: also falsify sentences of these abstracts")
    parser.add_argument("--abstracts", type=int, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--per-sentence", type=int, default=5)
    parser.add_argument("--learned", choices=("no", "reader", "cross-encoder", "embedder"), default="no")
    parser.add_argument("--baseline", action="store_true", help="scifact, wice: also a cosine's figures")
    parser.add_argument("--show", action="store_true", help="print each miss on standard error")
    return parser.parse_args(arguments)


# ------------------------------------------------------------------------------------------------- planted


def _planted(options: argparse.Namespace, learned: Similarity | None) -> Mapping[str, object]:
    corpora = {"seeds": _folder(options.data)}
    if options.scifact is not None and options.scifact.is_dir():
        corpora["scifact"] = _abstracts(options.scifact, options.abstracts, options.seed)
    report: dict[str, object] = {}
    for name, documents in corpora.items():
        report[name] = _planted_in(name, documents, options, learned)
    return report


def _planted_in(
    name: str, documents: Sequence[Sequence[Hit]], options: argparse.Namespace, learned: Similarity | None
) -> Mapping[str, object]:
    sentences = [
        [[h.text[a:b] for a, b in sentence_spans(h.text)] for h in document] for document in documents
    ]
    found: dict[str, list[tuple[Case, Judgement]]] = defaultdict(list)
    times: list[float] = []
    for case in cases(sentences, random.Random(options.seed), options.per_sentence):
        hits = neighbours(documents, case)
        clock = time.perf_counter()
        judgement = judge(case.text, hits, learned)
        times.append((time.perf_counter() - clock) * 1000)
        found[case.kind].append((case, judgement))
        if options.show and (judgement.verdict == "supported") != (case.kind == "true"):
            print(
                f"{name} {case.kind} [{case.how}] {judgement.verdict} {judgement.layer} {judgement.score:.2f}\n"
                f"   {case.text}\n   {case.origin}",
                file=sys.stderr,
            )
    wrong = [pair for kind in KINDS for pair in found[kind]]
    return {
        "planted": len(wrong),
        "caught": _share(wrong, supported=False),
        "contradicted": round(sum(j.verdict == "contradicted" for _, j in wrong) / max(1, len(wrong)), 4),
        "caught_by_kind": {kind: (_share(found[kind], supported=False), len(found[kind])) for kind in KINDS},
        "true": len(found["true"]),
        "flagged": _share(found["true"], supported=False),
        "flagged_by_how": {
            how: (_share(pairs, supported=False), len(pairs)) for how, pairs in _by_how(found["true"]).items()
        },
        "ms_p50": round(statistics.median(times), 2),
        "ms_p95": round(sorted(times)[int(len(times) * 0.95)], 2),
    }


def _by_how(pairs: Iterable[tuple[Case, Judgement]]) -> Mapping[str, list[tuple[Case, Judgement]]]:
    groups: dict[str, list[tuple[Case, Judgement]]] = defaultdict(list)
    for case, judgement in pairs:
        groups[case.how].append((case, judgement))
    return groups


def _share(pairs: Sequence[tuple[Case, Judgement]], *, supported: bool) -> float:
    return round(sum((j.verdict == "supported") is supported for _, j in pairs) / max(1, len(pairs)), 4)


def neighbours(documents: Sequence[Sequence[Hit]], case: Case) -> list[Hit]:
    """The paragraph a case came from and the four that share most words with it, its document's own first."""
    own = documents[case.document][case.paragraph]
    words = _words(case.origin)
    others = [
        (h.document_id != own.document_id, -len(words & _words(h.text)), n, h)
        for n, h in enumerate(h for d in documents for h in d)
        if h is not own
    ]
    near = [h for *_, h in sorted(others, key=lambda x: (x[1] - (0.5 if not x[0] else 0), x[2]))[: HITS - 1]]
    return [near[0], own, *near[1:]]


_words = cache(words)


def _folder(folder: Path) -> list[list[Hit]]:
    """Every paragraph of every file as a hit, by document."""
    documents: list[list[Hit]] = []
    for path in sorted(folder.glob("*.txt")):
        document, passages = prepare(path.read_bytes(), path.name)
        context = {passage.paragraph: passage.context for passage in passages}
        documents.append(
            [
                Hit(
                    document_id=path.name,
                    path=path.name,
                    title=document.title,
                    date=document.date,
                    paragraph=p.number,
                    line_start=p.line_start,
                    line_end=p.line_end,
                    start=p.start,
                    end=p.end,
                    page=p.page,
                    text=document.text[p.start : p.end],
                    sha256="",
                    context=context.get(p.number, ""),
                    score=0.0,
                    kind=p.kind,
                )
                for p in document.paragraphs
                if p.kind in ("text", "list_item")
            ]
        )
    return documents


def _abstracts(folder: Path, most: int, seed: int) -> list[list[Hit]]:
    """Some abstracts of SciFact, each a document of one paragraph."""
    chosen = random.Random(seed).sample(
        [json.loads(line) for line in (folder / "corpus.jsonl").open(encoding="utf-8")], most
    )
    return [[_abstract(entry)] for entry in chosen]


def _abstract(entry: Mapping[str, str]) -> Hit:
    text = entry["text"]
    return Hit(
        entry["_id"],
        entry["_id"],
        entry["title"],
        None,
        1,
        1,
        1,
        0,
        len(text),
        None,
        text,
        "",
        entry["title"],
        0.0,
    )


# ------------------------------------------------------------------------------------------------- kept from fitting


def _heldout(options: argparse.Namespace, learned: Similarity | None) -> Mapping[str, object]:
    """Claims by somebody else: true ones kept, false ones caught, and how many of the kept are cited rightly."""
    report: dict[str, object] = {}
    for name, claims in held_out(options.data).items():
        judged = [judge(claim.text, claim.hits, learned) for claim in claims]
        passed = [(c, j) for c, j in zip(claims, judged, strict=True) if j.verdict == "supported"]
        report[name] = {
            "true": sum(c.true for c in claims),
            "kept": sum(c.true for c, _ in passed),
            "cited_rightly": sum(_cites(j, c.cite_any) for c, j in passed if c.true),
            "false": sum(not c.true for c in claims),
            "caught": sum(not c.true for c in claims) - sum(not c.true for c, _ in passed),
            "auroc": _area([c.true for c in claims], [j.score for j in judged]),
        }
        for claim, j in zip(claims, judged, strict=True):
            if options.show and claim.true is not (j.verdict == "supported"):
                print(
                    f"{name} {claim.true} {j.verdict} {j.layer} {j.score:.2f}\n   {claim.text}",
                    file=sys.stderr,
                )
    return report


def _cites(judged: Judgement, places: Sequence[tuple[str, int]]) -> bool:
    hits = [quote.hit for quote in judged.quotes]
    return any(h.path == path and h.line_start <= line <= h.line_end for h in hits for path, line in places)


# ------------------------------------------------------------------------------------------------- public sets


def _scifact(options: argparse.Namespace, learned: Similarity | None) -> Mapping[str, object]:
    """Claims of the validation split against the abstracts that they cite: supported, contradicted or neither."""
    found = read_claims(options.data / "claims.jsonl")
    fitting, claims = found.fitting, found.claims
    gold = [claim.label for claim in claims]
    judged = [judge(claim.text, claim.hits, learned) for claim in claims]
    said = [j.verdict if j.verdict in gold else "unsupported" for j in judged]
    there = [judge(claim.text, claim.hits, learned) for claim in fitting]
    threshold = _fitted(fitting, [j.score for j in there], [j.verdict == "contradicted" for j in there])
    at_threshold = _sides([j.score for j in judged], [j.verdict == "contradicted" for j in judged], threshold)
    report: dict[str, object] = {
        "claims": len(gold),
        "macro_f1": round(macro_f1(gold, said), 4),
        "macro_f1_at_fitted_threshold": round(macro_f1(gold, at_threshold), 4),
        "majority": round(constant_baselines(gold)["majority_macro_f1"], 4),
        "confusion": {f"{g}>{s}": n for (g, s), n in sorted(Counter(zip(gold, said, strict=True)).items())},
    }
    if options.baseline:
        nobody = [False] * len(fitting)
        threshold = _fitted(fitting, [cosine(_Embedding(), claim) for claim in fitting], nobody)
        cosines = [cosine(_Embedding(), claim) for claim in claims]
        sides = _sides(cosines, nobody[: len(cosines)], threshold)
        report["cosine_at_fitted_threshold"] = round(macro_f1(gold, sides), 4)
    return report


def _sides(scores: Sequence[float], denied: Sequence[bool], threshold: float) -> list[str]:
    return [
        "contradicted" if no else "supported" if s >= threshold else "unsupported"
        for s, no in zip(scores, denied, strict=True)
    ]


def _fitted(claims: Sequence[Claim], scores: Sequence[float], denied: Sequence[bool]) -> float:
    """The threshold with the best macro-F1 on the training claims."""
    gold = [claim.label for claim in claims]
    return max((n / 100 for n in range(1, 100)), key=lambda t: macro_f1(gold, _sides(scores, denied, t)))


def _wice(options: argparse.Namespace, learned: Similarity | None) -> Mapping[str, object]:
    """Claims of the dev split against the articles that they cite: supported or not."""
    claims = read_claims(options.data / "claims.jsonl").claims
    gold = [claim.label == "supported" for claim in claims]
    found = [judge(claim.text, claim.hits, learned) for claim in claims]
    said = [judgement.verdict == "supported" for judgement in found]
    scores = [judgement.score for judgement in found]
    report: dict[str, object] = {
        "claims": len(gold),
        "precision": round(sum(g and s for g, s in zip(gold, said, strict=True)) / max(1, sum(said)), 4),
        "f1": round(f1(gold, said), 4),
        "f1_at_best_threshold": _best_f1(gold, scores),
        "auroc": _area(gold, scores),
        "all_supported_f1": round(f1(gold, [True] * len(gold)), 4),
    }
    if options.baseline:
        cosines = [cosine(_Embedding(), claim) for claim in claims]
        report |= {
            "cosine_f1_at_best_threshold": _best_f1(gold, cosines),
            "cosine_auroc": _area(gold, cosines),
        }
    return report


def _best_f1(gold: Sequence[bool], scores: Sequence[float]) -> float:
    """F1 at the threshold that is best on these very claims: an upper bound, for comparing scores."""
    return round(max(f1(gold, [score >= threshold for score in scores]) for threshold in set(scores)), 4)


def _area(gold: Sequence[bool], scores: Sequence[float]) -> float:
    """Chance that a supported claim scores above another; ties count half."""
    yes, no = ([s for g, s in zip(gold, scores, strict=True) if g is side] for side in (True, False))
    return round(area_under_curve(yes, no) or 0.0, 4)


@cache
def _embedder() -> OnnxEmbedder:
    files = carried(DEFAULT_EMBEDDER)
    assert files is not None, "the baseline needs the carrier package of the embedder"
    return OnnxEmbedder(files, threads=1)


class _Embedding:
    """The embedder as the service offers it."""

    def embed(self, texts: Sequence[str]) -> Embedded:
        vectors = _embedder().embed_documents(texts)
        return Embedded(_embedder().name, tuple(map(tuple, vectors.tolist())), 0)


def _similarity(kind: str) -> Similarity | None:
    if kind == "reader" and (files := carried(DEFAULT_RERANKER)) is not None:
        return ReaderSimilarity(OnnxReader(files, threads=1))
    if kind == "cross-encoder" and (files := carried(DEFAULT_RERANKER)) is not None:
        return RerankerSimilarity(OnnxReranker(files, threads=1))
    if kind == "embedder" and (files := carried(DEFAULT_EMBEDDER)) is not None:
        return EmbedderSimilarity(OnnxEmbedder(files, threads=1))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
