"""Floors: values a run must reach, for continuous integration."""

import argparse
import math
from collections.abc import Iterable
from dataclasses import dataclass

from qa.evaluate.metrics import KNOWN, LOWER_IS_BETTER
from qa.evaluate.types import Metrics


@dataclass(frozen=True, slots=True)
class Floor:
    """The least a metric may be; for times and false refusals, where less is better, the most."""

    metric: str
    value: float


def parse_floor(text: str) -> Floor:
    """Read `metric=value`.

    Raises:
        argparse.ArgumentTypeError: no such metric, or no number.
    """
    metric, _, value = text.partition("=")
    if metric not in KNOWN:
        raise argparse.ArgumentTypeError(f"no metric {metric!r}; the metrics are {', '.join(KNOWN)}")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise argparse.ArgumentTypeError(f"{text!r} must be metric=number")
    return Floor(metric, number)


def missed(floors: Iterable[Floor], metrics: Metrics) -> tuple[str, ...]:
    """One line for each floor that is missed; a metric without a value misses its floor."""
    return tuple(line for floor in floors if (line := _miss(floor, metrics.get(floor.metric))))


def _miss(floor: Floor, value: float | None) -> str:
    if value is None:
        return f"{floor.metric} has no value; the floor is {floor.value:g}"
    if floor.metric in LOWER_IS_BETTER:
        return (
            f"{floor.metric} is {value:.4g}; it must be at most {floor.value:g}"
            if value > floor.value
            else ""
        )
    return f"{floor.metric} is {value:.4g}; the floor is {floor.value:g}" if value < floor.value else ""
