"""`nutgraf eval`: its arguments, and the way to its work."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from qa.evaluate.floors import Floor
    from qa.settings import Settings

DESCRIPTION = """\
Ask every question of a file and report how well the answers are found, cited and refused.
The report goes to standard output, progress to standard error. Exit codes: 0; 1 a floor is missed;
65 a file is not what it should be; 66 a file is missing; 73 the page cannot be written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `nutgraf eval` takes."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    _offer_sources(parser)
    parser.add_argument("--collection", default="default", help="collection to ask a question file of")
    parser.add_argument("--json", action="store_true", help="print the whole run as JSON instead of tables")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots and every miss")
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OTHER.json",
        help="set against a run saved with --json, by paired bootstrap",
    )
    parser.add_argument(
        "--floor",
        action="append",
        default=[],
        type=_floor,
        metavar="METRIC=VALUE",
        help="exit 1 below this value (above it for times and refused_answerable); may be repeated",
    )
    parser.add_argument(
        "--limit",
        type=_positive,
        metavar="N",
        help="ask at most N questions, taken evenly from the whole file",
    )
    parser.add_argument(
        "--data-dir-cache",
        type=Path,
        metavar="DIR",
        help="keep the index of --beir or --squad here, and use it again",
    )


def _offer_sources(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "file", nargs="?", type=Path, metavar="FILE", help="question file, one JSON object a line"
    )
    source.add_argument(
        "--beir",
        type=Path,
        metavar="DIR",
        help="retrieval set: corpus.jsonl, queries.jsonl, qrels.tsv; indexed for this run",
    )
    source.add_argument(
        "--squad",
        type=Path,
        metavar="FILE",
        help="question-answering set: SQuAD's .json, or lines with corpus.jsonl beside them; indexed for this run",
    )
    source.add_argument(
        "--claims",
        type=Path,
        metavar="FILE",
        help="claim verification set: lines with evidence_sentences, or cited_doc_ids of a corpus.jsonl beside them",
    )


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do what the arguments say; the exit code."""
    # Imported here, not above: `--help` must not wait for numpy, rich or the models' runtimes.
    from qa.evaluate.session import Options, evaluate_command  # noqa: PLC0415
    from qa.service import Service  # noqa: PLC0415

    return evaluate_command(Options.of(args), settings, Service.open)


def _floor(text: str) -> Floor:
    # Late for the same reason: the metrics reach numpy through the types.
    from qa.evaluate.floors import parse_floor  # noqa: PLC0415

    return parse_floor(text)


def _positive(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a whole number above 0")
