"""The report on a terminal, and the progress bar beside it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from qa.evaluate.compare import Comparison
from qa.evaluate.floors import Floor, missed
from qa.evaluate.metrics import KNOWN
from qa.evaluate.payload import answerers, degraded
from qa.evaluate.types import Evaluation, Metrics, ProgressOf
from qa.evaluate.words import (
    KIND_COLUMNS,
    change,
    counts,
    faults,
    figure,
    kind_columns,
    label,
    separates,
    visible,
)

PLAIN_WIDTH = 140
"""Columns where there is no terminal to ask."""
MOST_MISSES = 40


def print_report(
    evaluation: Evaluation,
    stream: IO[str],
    *,
    floors: Sequence[Floor] = (),
    comparison: Comparison | None = None,
) -> None:
    """Print the figures, the figures by kind and the misses; without colour when the stream is no terminal."""
    console = Console(file=stream, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(
            file=stream, highlight=False, markup=False, emoji=False, width=PLAIN_WIDTH, color_system=None
        )
    console.print(Text(f"{visible(evaluation.title)}: {counts(evaluation)}", style="bold"))
    console.print(_metrics_table(evaluation.metrics, floors, comparison))
    if len(evaluation.by_kind) > 1:
        console.print(_kinds_table(evaluation))
    if comparison is not None:
        _print_changes(console, comparison)
    _print_misses(console, evaluation)
    console.print(Text(_footer(evaluation), style="dim"))


@contextmanager
def progress_bar(stream: IO[str], words: str) -> Iterator[ProgressOf]:
    """A bar on a terminal, nothing elsewhere; gives the function to call with (done, in all)."""
    console = Console(file=stream, highlight=False)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(words, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _metrics_table(metrics: Metrics, floors: Sequence[Floor], comparison: Comparison | None) -> Table:
    table = _table("metric", "what", "value")
    differences = {item.metric: item for item in comparison.differences} if comparison else {}
    required = {floor.metric: floor for floor in floors}
    if floors:
        table.add_column("floor", justify="right")
    if comparison:
        table.add_column("other", justify="right")
        table.add_column("change, 95 % interval", justify="right")
    for name in (name for name in KNOWN if name in metrics):
        row = [Text(name), Text(label(name), style="dim"), Text(figure(name, metrics[name]))]
        if floors:
            row.append(_floor_cell(required.get(name), metrics))
        if comparison:
            item = differences.get(name)
            row.append(Text(figure(name, item.theirs if item else None)))
            span = (
                f"{change(name, item.change)}  [{change(name, item.low)}, {change(name, item.high)}]"
                if item
                else "–"
            )
            row.append(Text(span, style="bold" if item and item.clear else ""))
        table.add_row(*row)
    return table


def _floor_cell(floor: Floor | None, metrics: Metrics) -> Text:
    if floor is None:
        return Text("")
    is_missed = bool(missed((floor,), metrics))
    words = figure(floor.metric, floor.value) + (" missed" if is_missed else " ok")
    return Text(words, style="red" if is_missed else "green")


def _kinds_table(evaluation: Evaluation) -> Table:
    names = kind_columns(evaluation)
    table = _table("kind", "n", *(KIND_COLUMNS[name] for name in names))
    for kind, metrics in evaluation.by_kind.items():
        size = sum(outcome.kind == kind for outcome in evaluation.outcomes)
        table.add_row(
            Text(visible(kind)), Text(str(size)), *(Text(figure(name, metrics.get(name))) for name in names)
        )
    return table


def _print_changes(console: Console, comparison: Comparison) -> None:
    line = (
        f"{comparison.paired} questions in both runs; "
        f"now right: {_ids(comparison.gained)}; now wrong: {_ids(comparison.lost)}"
    )
    apart = len(comparison.only_here) + len(comparison.only_there)
    console.print(Text(line + (f"; {apart} in one run only, left out" if apart else "")))


def _ids(ids: Sequence[str]) -> str:
    shown = ", ".join(visible(name, 40) for name in ids[:20])
    return (shown + (f" and {len(ids) - 20} more" if len(ids) > 20 else "")) or "none"


def _print_misses(console: Console, evaluation: Evaluation) -> None:
    misses = [outcome for outcome in evaluation.outcomes if faults(outcome)]
    if not misses:
        return
    table = _table("miss", "kind", "what", "rank", "question")
    for outcome in misses[:MOST_MISSES]:
        cells = (
            outcome.id,
            outcome.kind,
            "; ".join(faults(outcome)),
            str(outcome.rank or "–"),
            outcome.question,
        )
        table.add_row(*(Text(visible(cell, 90)) for cell in cells))
    console.print(table)
    if len(misses) > MOST_MISSES:
        console.print(Text(f"and {len(misses) - MOST_MISSES} more misses; --html shows each"))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    words = {"metric", "kind", "miss", "what", "question"}
    for heading in headings:
        table.add_column(heading, justify="left" if heading in words else "right")
    return table


def _footer(evaluation: Evaluation) -> str:
    parts = [f"{evaluation.seconds:.1f} s", *(visible(name) for name in answerers(evaluation))]
    parts.extend(filter(None, (separates(evaluation),)))
    missing = degraded(evaluation)
    return " · ".join(parts) + (f" · degraded: {visible(', '.join(missing))}" if missing else "")
