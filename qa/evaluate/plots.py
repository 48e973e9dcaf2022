"""Plots as inline SVG: pure functions from figures to markup. Colours come from the page's style."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from qa.evaluate.metrics import percentile
from qa.evaluate.words import milliseconds, visible

WIDTH, HEIGHT = 460, 270
LEFT, RIGHT, TOP, BOTTOM = 62, 28, 16, 44
ROW = 28
LABEL_WIDTH = 150
BAR_RIGHT = 88
LETTER = 7.5
"""About the width of a letter of a value, at 12 pixels."""
LOG_FROM = 10
"""A slowest time this many times the median would squeeze a linear axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: its range, ticks as (value, label), title, and whether it is logarithmic."""

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    title: str
    log: bool = False

    def share(self, value: float) -> float:
        """Where a value lies, from 0 at the low end to 1 at the high end."""
        if self.log:
            return (math.log10(value) - math.log10(self.low)) / (math.log10(self.high) - math.log10(self.low))
        return (value - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: a share from 0 to 1, and the words after it; `beside` for what is only there to compare with."""

    label: str
    share: float
    words: str
    beside: bool = False


def risk_coverage_plot(points: Sequence[tuple[float, float]]) -> str:
    """Risk against coverage; the dot is where the system stands."""
    if not points:
        return _empty("No question was answered.")
    top = min(1.0, max(0.1, math.ceil(max(risk for _, risk in points) * 10) / 10))
    x = _shares(1.0, "share of all questions that are answered")
    y = _shares(top, "share of these that is wrong")
    coverage, risk = points[-1]
    words = f"{coverage:.0%} answered, {risk:.1%} wrong"
    line = [(_x(x, share), _y(y, value)) for share, value in points]
    dot_x, dot_y = line[-1]
    return _svg(
        f"Risk against coverage: {words}",
        [
            *_frame(x, y),
            _line(line),
            f'<circle class="mark" cx="{dot_x:.1f}" cy="{dot_y:.1f}" r="4.5"/>',
            _label_clear_of(line, words),
        ],
    )


def _label_clear_of(line: Sequence[tuple[float, float]], words: str) -> str:
    """Words at the end of a line: to its right where there is room, else above all of the line that they span."""
    end_x, end_y = line[-1]
    width = len(words) * LETTER
    if end_x + width + 10 < WIDTH:
        return _text(end_x + 10, end_y + 4, words, "value", "start")
    top = min(y for x, y in line if x >= end_x - width)
    return _text(end_x + 4, max(top - 10, TOP), words, "value", "end")


def latency_plot(times: Sequence[float]) -> str:
    """The share of questions done within a time, with the median and the 95 % point marked."""
    ordered = sorted(times)
    median, slow = percentile(ordered, 50), percentile(ordered, 95)
    if median is None or slow is None:
        return _empty("Nothing was timed.")
    x = _times(ordered)
    y = _shares(1.0, "share that is done")
    steps: list[tuple[float, float]] = [(_x(x, max(x.low, min(ordered))), _y(y, 0))]
    for number, value in enumerate(ordered, start=1):
        steps.append((_x(x, max(value, x.low)), steps[-1][1]))
        steps.append((steps[-1][0], _y(y, number / len(ordered))))
    guides: list[str] = []
    labels: list[str] = []
    for words, value, height in (("median", median, 0.32), ("95 %", slow, 0.16)):
        place = _x(x, max(value, x.low))
        bottom = HEIGHT - BOTTOM
        guides.append(f'<line class="guide" x1="{place:.1f}" x2="{place:.1f}" y1="{TOP}" y2="{bottom}"/>')
        label = f"{words} {milliseconds(value)}"
        fits = place + len(label) * LETTER < WIDTH
        labels.append(
            _text(place + (6 if fits else -6), _y(y, height), label, "value", "start" if fits else "end")
        )
    summary = f"Time: median {milliseconds(median)}, 95 % within {milliseconds(slow)}"
    return _svg(summary, [*_frame(x, y), *guides, _line(steps), *labels])


def bar_plot(title: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars, labelled at both ends."""
    if not bars:
        return _empty("There is nothing to count.")
    height = len(bars) * ROW + 8
    room = WIDTH - LABEL_WIDTH - BAR_RIGHT
    parts: list[str] = []
    for row, bar in enumerate(bars):
        middle = row * ROW + ROW / 2 + 4
        top = middle - 8
        parts.append(_text(LABEL_WIDTH - 10, middle + 4, visible(bar.label, 22), "label", "end"))
        parts.append(
            f'<rect class="track" x="{LABEL_WIDTH}" y="{top:.1f}" width="{room}" height="16" rx="2"/>'
        )
        kind = "bar beside" if bar.beside else "bar"
        parts.append(
            f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{top:.1f}" width="{room * bar.share:.1f}" height="16" rx="2"/>'
        )
        parts.append(_text(LABEL_WIDTH + room + 8, middle + 4, bar.words, "value", "start"))
    return _svg(title, parts, height)


def _times(ordered: Sequence[float]) -> Axis:
    slowest = max(ordered[-1], 0.001)
    median = percentile(ordered, 50) or slowest
    if slowest > LOG_FROM * median:
        low = 10 ** math.floor(math.log10(max(ordered[0], slowest / 1e5)))
        high = 10 ** math.ceil(math.log10(slowest) + 1e-9)
        powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
        return Axis(
            low,
            high,
            tuple((10.0**power, f"{10.0**power:,g}") for power in powers),
            "milliseconds, logarithmic",
            log=True,
        )
    step = _nice(slowest / 5)
    count = math.ceil(slowest / step)
    return Axis(
        0, step * count, tuple((step * n, f"{step * n:,g}") for n in range(count + 1)), "milliseconds"
    )


def _shares(high: float, title: str) -> Axis:
    step = 0.25 if high > 0.5 else high / 4 if high <= 0.2 else 0.1
    count = math.ceil(high / step - 1e-9)
    digits = 1 if step < 0.05 and (step * 1000) % 10 else 0
    return Axis(0, step * count, tuple((step * n, f"{step * n:.{digits}%}") for n in range(count + 1)), title)


def _nice(step: float) -> float:
    """The next larger of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(power * factor for factor in (1, 2, 5, 10) if step <= power * factor * (1 + 1e-9))


def _frame(x: Axis, y: Axis) -> list[str]:
    parts: list[str] = []
    for value, words in y.ticks:
        place = _y(y, value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{place:.1f}" y2="{place:.1f}"/>'
        )
        parts.append(_text(LEFT - 8, place + 4, words, "tick", "end"))
    parts.extend(
        _text(_x(x, value), HEIGHT - BOTTOM + 17, words, "tick", "middle") for value, words in x.ticks
    )
    parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, x.title, "label", "middle"))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    parts.append(
        f'<text class="label" text-anchor="middle" transform="translate(11 {middle:.0f}) rotate(-90)">'
        f"{escape(y.title)}</text>"
    )
    return parts


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.share(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.share(value) * (HEIGHT - TOP - BOTTOM)


def _line(points: Sequence[tuple[float, float]]) -> str:
    return '<polyline class="line" points="' + " ".join(f"{x:.1f},{y:.1f}" for x, y in points) + '"/>'


def _text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, parts: Sequence[str], height: int = HEIGHT) -> str:
    body = "".join(parts)
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def _empty(words: str) -> str:
    return f'<p class="empty">{escape(words)}</p>'
