"""Claims with what is known of them and the paragraphs they are judged by: those kept from fitting, and those aside."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reading_examples import kept_aside

from index.types import Hit
from qa.service import Service
from qa.settings import Settings

SEARCHED = 8
"""Paragraphs that a claim is judged by, as `nutgraf verify` takes them."""
SEEDS = Path(__file__).parents[1] / "seeds"


@dataclass(frozen=True, slots=True)
class Known:
    """A claim, whether it is true, the paragraphs found for it, and (path, line) of those known to say it."""

    text: str
    true: bool
    hits: tuple[Hit, ...]
    cite_any: tuple[tuple[str, int], ...] = ()
    question: str = ""


def held_out(folder: Path) -> dict[str, list[Known]]:
    """The sets `claims-CORPUS[-N].jsonl`, each searched for in the folder CORPUS beside it or in `seeds/`."""
    found: dict[str, list[Known]] = {}
    for path in sorted(folder.glob("claims-*.jsonl")):
        corpus = folder / path.stem.split("-")[1]
        found[path.stem] = [
            Known(str(entry["claim"]), bool(entry["true"]), hits, tuple((p, n) for p, n in entry["cite_any"]))
            for entry, hits in _searched(lines(path), corpus if corpus.is_dir() else SEEDS)
        ]
    return found


def restatements(path: Path) -> list[Known]:
    """Answers to questions on the seeds, each with whether they support it."""
    return [
        Known(str(entry["claim"]), bool(entry["supported"]), hits, question=str(entry["question"]))
        for entry, hits in _searched(lines(path), SEEDS, key="question")
    ]


def aside(folder: Path, every: int) -> list[Known]:
    """Claims on texts that `fit_reader.py --aside` did not learn from, searched for in the two texts of their group."""
    texts, claims = _by_group(folder.glob("texts-*.jsonl")), _by_group(folder.glob("claims-*.jsonl"))
    found: list[Known] = []
    for group in sorted(group for group in claims if kept_aside(group, every)):
        written = [claim for entry in claims[group] for claim in entry["claims"]]
        with tempfile.TemporaryDirectory() as place:
            for n, document in enumerate(texts[group]):
                Path(place, f"{n}.md").write_text(_as_file(document), encoding="utf-8")
            found += [
                Known(str(claim["claim"]), claim["verdict"] == "supported", hits)
                for claim, hits in _searched(written, Path(place))
            ]
    return found


def _by_group(paths: Iterable[Path]) -> dict[str, list[Mapping[str, Any]]]:
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for path in sorted(paths):
        for entry in lines(path):
            groups.setdefault(str(entry["group"]), []).append(entry)
    return groups


def lines(path: Path) -> list[Mapping[str, Any]]:
    """The objects of a file with one a line."""
    return [json.loads(line) for line in path.open(encoding="utf-8")]


def _as_file(document: Mapping[str, Any]) -> str:
    head = f"---\ndate: {document['date']}\n---\n" if document["date"] else ""
    return "\n\n".join((f"{head}# {document['title']}", *document["paragraphs"]))


def _searched(
    entries: Sequence[Mapping[str, Any]], folder: Path, key: str = "claim"
) -> Iterator[tuple[Mapping[str, Any], tuple[Hit, ...]]]:
    with (
        tempfile.TemporaryDirectory() as data,
        Service.open(Settings(data_dir=Path(data)), writable=True) as service,
    ):
        service.sync(folder)
        for entry in entries:
            yield entry, service.search(str(entry[key]), k=SEARCHED).hits
