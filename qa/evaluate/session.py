"""One run of `nutgraf eval`, from its files to its report."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Literal

from qa.evaluate.beir import evaluate_retrieval, read_retrieval
from qa.evaluate.claims import ClaimSet, read_claims
from qa.evaluate.compare import Comparison, Earlier, compare, read_run
from qa.evaluate.corpus import CorpusText, own_index
from qa.evaluate.floors import Floor, missed
from qa.evaluate.payload import evaluation_payload
from qa.evaluate.questions import read_questions
from qa.evaluate.records import DataFileError
from qa.evaluate.report import render_page
from qa.evaluate.run import evaluate, spread
from qa.evaluate.squad import read_answers
from qa.evaluate.table import print_report, progress_bar
from qa.evaluate.types import Evaluation, IndexedService, OpenService
from qa.evaluate.verification import evaluate_claims
from qa.settings import Settings

Form = Literal["questions", "beir", "squad", "claims"]

FLOOR_MISSED = 1
CANNOT_CREATE = 73


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line: a source of questions in one of four forms, and what to do with it."""

    source: Path
    form: Form = "questions"
    collection: str = "default"
    json: bool = False
    html: Path | None = None
    compare: Path | None = None
    floors: tuple[Floor, ...] = ()
    limit: int | None = None
    cache: Path | None = None

    @classmethod
    def of(cls, args: argparse.Namespace) -> "Options":
        """Read parsed arguments."""
        given: dict[Form, Path | None] = {
            "questions": args.file,
            "beir": args.beir,
            "squad": args.squad,
            "claims": args.claims,
        }
        form, source = next((form, source) for form, source in given.items() if source is not None)
        return cls(
            source=source,
            form=form,
            collection=args.collection,
            json=args.json,
            html=args.html,
            compare=args.compare,
            floors=tuple(args.floor),
            limit=args.limit,
            cache=args.data_dir_cache,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """What one run works with: what was asked for, how to open what is measured, and where words go."""

    options: Options
    settings: Settings
    open_service: OpenService
    out: IO[str]
    err: IO[str]

    def warn(self, words: str) -> None:
        """Say something beside the report."""
        print(f"nutgraf eval: {words}", file=self.err)

    def refuse(self, words: str, code: int) -> int:
        """Say why the run ends, and give its exit code."""
        self.warn(words)
        return code


def evaluate_command(options: Options, settings: Settings, open_service: OpenService) -> int:
    """Run, report, and say by the exit code whether all floors hold. Files are read before anything is asked."""
    unrecorded = replace(settings, record_days=0)  # a measured question is nobody's question
    session = Session(options, unrecorded, open_service, sys.stdout, sys.stderr)
    if options.html is not None and not options.html.parent.is_dir():
        return session.refuse(f"{options.html}: its folder is not there", CANNOT_CREATE)
    try:
        earlier = read_run(options.compare) if options.compare is not None else None
        evaluation = _evaluation(session)
    except DataFileError as error:
        return session.refuse(str(error), error.exit_code)
    return _report(session, evaluation, earlier)


def _report(session: Session, evaluation: Evaluation, earlier: Mapping[str, Earlier] | None) -> int:
    options = session.options
    comparison: Comparison | None = None
    if earlier is not None and options.compare is not None:
        comparison = compare(evaluation.outcomes, earlier, options.compare.name)
    misses = missed(options.floors, evaluation.metrics)
    # The page first: a reader that closes the pipe early must not cost it.
    is_written = _write_page(session, evaluation, comparison)
    if options.json:
        payload = evaluation_payload(evaluation, comparison, misses)
        print(json.dumps(payload, ensure_ascii=False, allow_nan=False), file=session.out)
    else:
        print_report(evaluation, session.out, floors=options.floors, comparison=comparison)
    for line in misses:
        session.warn(line)
    if not is_written:
        return CANNOT_CREATE
    return FLOOR_MISSED if misses else 0


def _write_page(session: Session, evaluation: Evaluation, comparison: Comparison | None) -> bool:
    """Write the page where one was asked for; says why when it cannot be written."""
    path = session.options.html
    if path is None:
        return True
    try:
        path.write_text(render_page(evaluation, comparison, datetime.now(UTC)), encoding="utf-8")
    except OSError as error:
        session.warn(f"{path}: {error.strerror}")
        return False
    return True


def _evaluation(session: Session) -> Evaluation:
    measures = {
        "questions": _of_question_file,
        "beir": _of_retrieval_set,
        "squad": _of_answer_set,
        "claims": _of_claim_set,
    }
    return measures[session.options.form](session.options.source, session)


def _of_question_file(path: Path, session: Session) -> Evaluation:
    found = read_questions(path)
    for warning in found.warnings:
        session.warn(f"{path}: {warning}")
    questions = spread(found.questions, session.options.limit)
    collection = session.options.collection
    with (
        closing(session.open_service(session.settings, writable=False)) as service,
        progress_bar(session.err, "Asking") as progress,
    ):
        return evaluate(service, questions, title=path.name, collection=collection, progress=progress)


def _of_retrieval_set(folder: Path, session: Session) -> Evaluation:
    found = read_retrieval(folder)
    queries = spread(found.queries, session.options.limit)
    with (
        _indexed(folder, found.texts, session) as service,
        progress_bar(session.err, "Searching") as progress,
    ):
        return evaluate_retrieval(service, queries, title=folder.resolve().name, progress=progress)


def _of_answer_set(path: Path, session: Session) -> Evaluation:
    found = read_answers(path)
    questions = spread(found.questions, session.options.limit)
    title = f"{path.resolve().parent.name}/{path.name}"
    with _indexed(path, found.texts, session) as service, progress_bar(session.err, "Asking") as progress:
        return evaluate(service, questions, title=title, progress=progress)


def _of_claim_set(path: Path, session: Session) -> Evaluation:
    found = read_claims(path)
    if found.left_out:
        session.warn(
            f"{path}: {found.left_out} claims come with no text to hold them against, and are left out"
        )
    claims = tuple(spread(found.claims, session.options.limit))
    title = f"{path.resolve().parent.name}/{path.name}"
    with (
        own_index(session.settings, (), session.open_service) as (service, _),
        progress_bar(session.err, "Judging") as progress,
    ):
        return evaluate_claims(service, ClaimSet(claims, found.fitting), title=title, progress=progress)


@contextmanager
def _indexed(source: Path, texts: tuple[CorpusText, ...], session: Session) -> Iterator[IndexedService]:
    """A service over these texts; says which could not be indexed."""
    keep = session.options.cache
    cache = None if keep is None else keep / _cache_name(source)
    with own_index(session.settings, texts, session.open_service, cache) as (service, files):
        with progress_bar(session.err, "Indexing") as indexing:
            report = service.sync(files, progress=lambda done, total, _: indexing(done, total))
        if report.skipped:
            first, count = report.skipped[0], len(report.skipped)
            session.warn(f"{count} texts were not indexed; the first, {first.path}: {first.reason}")
        yield service


def _cache_name(source: Path) -> str:
    """A folder name that two sets never share."""
    place = source.resolve()
    return f"{place.stem or 'set'}-{sha256(str(place).encode()).hexdigest()[:12]}"
