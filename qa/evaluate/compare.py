"""Comparing two runs over the questions they share: paired bootstrap, and which answers changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from qa.evaluate.metrics import CLASS_RATIOS, TIMES, area_under_curve, percentile, ratios, with_macro_f1
from qa.evaluate.records import DataFileError, Record, parse_object, read_text
from qa.evaluate.types import Outcome, Tally

SEED = 20240416
RESAMPLES = 2000
CHUNK = 200
"""Resamples held in memory at once."""

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Earlier:
    """One question of an earlier run, as its JSON tells it."""

    id: str
    question: str
    right: bool
    ms: float
    tallies: Mapping[str, Tally]
    hits: tuple[Mapping[str, object], ...] = ()
    kind: str = ""
    confidence: float = 0.0


@dataclass(frozen=True, slots=True)
class Difference:
    """One metric of both runs over the shared questions, and the 95 % interval of ours minus theirs."""

    metric: str
    ours: float
    theirs: float
    low: float
    high: float

    @property
    def change(self) -> float:
        """Ours minus theirs."""
        return self.ours - self.theirs

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side; ids of questions that only one has, and of those that went right or wrong."""

    other: str
    paired: int
    differences: tuple[Difference, ...]
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    only_here: tuple[str, ...]
    only_there: tuple[str, ...]
    earlier: Mapping[str, Earlier]


def read_run(path: Path) -> dict[str, Earlier]:
    """The questions of a run saved with `--json`, by id.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: it is not the JSON of a run.
    """
    run = Record(path, None, parse_object(read_text(path), path))
    earlier = [_earlier(path, number, value) for number, value in enumerate(run.items("questions"), start=1)]
    if not earlier:
        raise DataFileError(path, "is not a run saved with --json: it has no 'questions'")
    return {item.id: item for item in earlier}


def compare(
    outcomes: Sequence[Outcome], earlier: Mapping[str, Earlier], other: str, *, seed: int = SEED
) -> Comparison:
    """Pair questions by id and wording, and resample the pairs; the same seed gives the same intervals."""
    pairs = [
        (ours, earlier[ours.id])
        for ours in outcomes
        if ours.id in earlier and earlier[ours.id].question == ours.question
    ]
    shared = {ours.id for ours, _ in pairs}
    return Comparison(
        other=other,
        paired=len(pairs),
        differences=_differences(pairs, seed),
        gained=tuple(ours.id for ours, theirs in pairs if ours.right and not theirs.right),
        lost=tuple(ours.id for ours, theirs in pairs if theirs.right and not ours.right),
        only_here=tuple(ours.id for ours in outcomes if ours.id not in shared),
        only_there=tuple(name for name in earlier if name not in shared),
        earlier={theirs.id: theirs for _, theirs in pairs},
    )


def _differences(pairs: Sequence[tuple[Outcome, Earlier]], seed: int) -> tuple[Difference, ...]:
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    our_figures, their_figures = _figures(ours), _figures(theirs)
    both = {
        name: (our, their)
        for name, our in our_figures.items()
        if our is not None and (their := their_figures.get(name)) is not None
    }
    intervals = _intervals(ours, theirs, list(both), seed) if both else {}
    return tuple(Difference(name, *both[name], *interval) for name, interval in intervals.items())


def _figures(run: Sequence[Outcome | Earlier]) -> dict[str, float | None]:
    times = [item.ms for item in run]
    judged = any("f1" in item.tallies for item in run)
    return {
        **with_macro_f1(ratios([item.tallies for item in run])),
        **({"auroc": _area(run)} if judged else {}),
        "p50_ms": percentile(times, 50),
        "p95_ms": percentile(times, 95),
    }


def _intervals(
    ours: Sequence[Outcome], theirs: Sequence[Earlier], names: Sequence[str], seed: int
) -> dict[str, tuple[float, float]]:
    """The 2.5 % and 97.5 % points of the resampled differences, metric by metric."""
    generator = np.random.default_rng(seed)
    ours_of = {name: _statistic(ours, name) for name in names}
    theirs_of = {name: _statistic(theirs, name) for name in names}
    drawn: dict[str, list[Floats]] = {name: [] for name in names}
    for _ in range(RESAMPLES // CHUNK):
        places: Places = generator.integers(0, len(ours), size=(CHUNK, len(ours)))
        for name in names:
            drawn[name].append(ours_of[name](places) - theirs_of[name](places))
    # A resample in which no question counts towards a metric says nothing of it.
    known = {name: np.concatenate(parts) for name, parts in drawn.items()}
    known = {name: values[~np.isnan(values)] for name, values in known.items()}
    return {name: _interval(values) for name, values in known.items() if len(values)}


def _interval(differences: Floats) -> tuple[float, float]:
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)


def _statistic(run: Sequence[Outcome | Earlier], name: str) -> Callable[[Places], Floats]:
    """A function from resampled places int64[resamples, questions] to the metric float64[resamples]."""
    if name in TIMES:
        times = np.array([item.ms for item in run])
        percent = 50 if name == "p50_ms" else 95
        return lambda places: np.asarray(np.percentile(times[places], percent, axis=1), dtype=np.float64)
    if name == "auroc":
        return _resampled_area(run)
    if name == "macro_f1":
        classes = [label for label in CLASS_RATIOS if any(label in item.tallies for item in run)]
        each = [_statistic(run, label) for label in classes]
        return lambda places: np.nanmean([of_class(places) for of_class in each], axis=0)
    tallies = np.array([item.tallies.get(name, (0.0, 0.0)) for item in run], dtype=np.float64)
    return lambda places: _resampled_ratio(tallies, places)


def _area(run: Sequence[Outcome | Earlier]) -> float | None:
    return area_under_curve(
        [item.confidence for item in run if item.kind == "supported"],
        [item.confidence for item in run if item.kind != "supported"],
    )


def _resampled_area(run: Sequence[Outcome | Earlier]) -> Callable[[Places], Floats]:
    """Each pair of a supported claim and another counts as often as both were drawn."""
    scores = np.array([item.confidence for item in run])
    above = np.array([item.kind == "supported" for item in run])
    difference = scores[above][:, None] - scores[~above][None, :]
    won = (difference > 0) + 0.5 * (difference == 0)

    def areas(places: Places) -> Floats:
        drawn = np.stack([np.bincount(row, minlength=len(scores)) for row in places]).astype(np.float64)
        mine, others = drawn[:, above], drawn[:, ~above]
        pairs = mine.sum(axis=1) * others.sum(axis=1)
        area: Floats = np.full(len(places), np.nan)
        np.divide(((mine @ won) * others).sum(axis=1), pairs, out=area, where=pairs > 0)
        return area

    return areas


def _resampled_ratio(tallies: Floats, places: Places) -> Floats:
    """Not a number where no question counts."""
    above, below = tallies[:, 0][places].sum(axis=1), tallies[:, 1][places].sum(axis=1)
    ratio: Floats = np.full(len(places), np.nan)
    np.divide(above, below, out=ratio, where=below > 0)
    return ratio


def _earlier(path: Path, number: int, value: object) -> Earlier:
    if not isinstance(value, dict):
        raise DataFileError(path, f"question {number} is not an object")
    record = Record(path, None, value)
    tallies, ms, confidence = value.get("tallies"), value.get("ms"), value.get("confidence")
    if not isinstance(tallies, dict) or not isinstance(ms, int | float):
        raise DataFileError(
            path, f"question {number} has no 'tallies' or no 'ms': not a run saved with --json"
        )
    return Earlier(
        id=record.key("id"),
        question=record.text("question"),
        right=record.flag("right", default=False),
        ms=float(ms),
        tallies={str(name): _tally(path, number, pair) for name, pair in tallies.items()},
        kind=record.text("kind", ""),
        confidence=float(confidence) if isinstance(confidence, int | float) else 0.0,
        hits=tuple(hit for hit in record.items("hits") if isinstance(hit, dict)),
    )


def _tally(path: Path, number: int, pair: object) -> Tally:
    if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, int | float) for part in pair):
        return (float(pair[0]), float(pair[1]))
    raise DataFileError(path, f"question {number}: a tally must be [numerator, denominator]")
