"""The report as one self-contained page: no script, no request to anywhere."""

from collections.abc import Sequence
from datetime import datetime
from html import escape

from qa.evaluate.compare import Comparison
from qa.evaluate.metrics import CLASS_RATIOS, KNOWN, risk_coverage
from qa.evaluate.misses import render_miss
from qa.evaluate.payload import answerers, degraded
from qa.evaluate.plots import Bar, bar_plot, latency_plot, risk_coverage_plot
from qa.evaluate.style import STYLE
from qa.evaluate.types import Evaluation, Metrics
from qa.evaluate.words import KIND_COLUMNS, change, counts, faults, figure, kind_columns, label, separates

OPEN_MISSES = 5
POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(evaluation: Evaluation, comparison: Comparison | None, made: datetime) -> str:
    """The whole page. Every text from a question, an answer or a corpus is escaped."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(evaluation.title)} – nutgraf eval</title><style>{STYLE}</style></head><body><main>",
        _heading(evaluation, made),
        _tiles(evaluation.metrics),
        *(() if comparison is None else (_comparison(comparison),)),
        _plots(evaluation),
        _kinds(evaluation),
        _misses(evaluation, comparison),
        "</main></body></html>\n",
    ]
    return "".join(parts)


def _heading(evaluation: Evaluation, made: datetime) -> str:
    facts = [
        counts(evaluation),
        made.strftime("%Y-%m-%d %H:%M %Z").strip(),
        f"{evaluation.seconds:.1f} s",
        *answerers(evaluation),
    ]
    facts.extend(filter(None, (separates(evaluation),)))
    missing = degraded(evaluation)
    if missing:
        facts.append("degraded: " + ", ".join(missing))
    return f'<h1>{escape(evaluation.title)}</h1><p class="soft">{escape(" · ".join(facts))}</p>'


def _tiles(metrics: Metrics) -> str:
    tiles = (
        f'<div class="tile"><b>{escape(figure(name, metrics[name]))}</b>{escape(name)}'
        f"<span>{escape(label(name))}</span></div>"
        for name in KNOWN
        if metrics.get(name) is not None
    )
    return f'<div class="tiles">{"".join(tiles)}</div>'


def _plots(evaluation: Evaluation) -> str:
    outcomes = evaluation.outcomes
    times = [outcome.ms for outcome in outcomes if outcome.status != "failed"]
    ranks, classes = _ranks(evaluation), _classes(evaluation)
    figures = [_bars("Rank of the first gold paragraph", ranks)] if ranks else []
    if classes:
        figures = [
            _bars("F1 of each verdict", classes),
            _bars("Right verdicts, by what is true", _right_by_kind(evaluation)),
            _bars("Against simple baselines", _baselines(evaluation)),
        ]
    elif "answer_accuracy" in evaluation.metrics:
        figures = [
            _figure("Risk and coverage", risk_coverage_plot(risk_coverage(outcomes))),
            _bars("Right answers and refusals, by kind", _right_by_kind(evaluation)),
            *figures,
        ]
    figures.append(_figure("Time to judge a claim" if classes else "Time to answer", latency_plot(times)))
    return f'<h2>Plots</h2><div class="plots">{"".join(figures)}</div>'


def _figure(caption: str, plot: str) -> str:
    return f"<figure><figcaption>{escape(caption)}</figcaption>{plot}</figure>"


def _bars(caption: str, bars: Sequence[Bar]) -> str:
    return _figure(caption, bar_plot(caption, bars))


def _classes(evaluation: Evaluation) -> list[Bar]:
    found = ((name, evaluation.metrics.get(name)) for name in CLASS_RATIOS)
    return [
        Bar(name.removeprefix("f1_").replace("f1", "supported"), value, f"{value:.3f}")
        for name, value in found
        if value is not None
    ]


def _baselines(evaluation: Evaluation) -> list[Bar]:
    names = {
        "macro-F1": "macro_f1",
        "macro-F1, cosine": "cosine_macro_f1",
        "macro-F1, majority": "majority_macro_f1",
        "F1": "f1",
        "F1, cosine": "cosine_f1",
        "F1, all supported": "all_supported_f1",
        "AUROC": "auroc",
        "AUROC, cosine": "cosine_auroc",
    }
    found = ((words, evaluation.metrics.get(name)) for words, name in names.items())
    return [Bar(words, value, f"{value:.3f}", "," in words) for words, value in found if value is not None]


def _ranks(evaluation: Evaluation) -> list[Bar]:
    found = ((top, evaluation.metrics.get(f"hit@{top}")) for top in (1, 3, 5, 10))
    return [
        Bar("first" if top == 1 else f"among the first {top}", share, f"{share:.1%}")
        for top, share in found
        if share is not None
    ]


def _right_by_kind(evaluation: Evaluation) -> list[Bar]:
    bars: list[Bar] = []
    for kind in evaluation.by_kind:
        right = [outcome.right for outcome in evaluation.outcomes if outcome.kind == kind]
        bars.append(Bar(kind, sum(right) / len(right), f"{sum(right)} of {len(right)}"))
    return bars


def _kinds(evaluation: Evaluation) -> str:
    if len(evaluation.by_kind) < 2:
        return ""
    names = kind_columns(evaluation)
    rows = [
        [kind, str(sum(outcome.kind == kind for outcome in evaluation.outcomes))]
        + [figure(name, metrics.get(name)) for name in names]
        for kind, metrics in evaluation.by_kind.items()
    ]
    return "<h2>By kind</h2>" + _table(["kind", "questions", *(KIND_COLUMNS[name] for name in names)], rows)


def _comparison(comparison: Comparison) -> str:
    rows = [
        [
            item.metric + (" *" if item.clear else ""),
            figure(item.metric, item.ours),
            figure(item.metric, item.theirs),
            change(item.metric, item.change),
            f"{change(item.metric, item.low)} to {change(item.metric, item.high)}",
        ]
        for item in comparison.differences
    ]
    table = _table(["metric", "this run", "other run", "change", "95 % interval"], rows)
    apart = len(comparison.only_here) + len(comparison.only_there)
    lines = [
        f"{comparison.paired} questions in both runs, {apart} in one only (left out).",
        "An asterisk marks a change whose interval leaves zero out.",
        "Now right: " + (", ".join(comparison.gained) or "none") + ".",
        "Now wrong: " + (", ".join(comparison.lost) or "none") + ".",
    ]
    words = "".join(f'<p class="soft">{escape(line)}</p>' for line in lines)
    return f"<h2>Against {escape(comparison.other)}</h2>{table}{words}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _misses(evaluation: Evaluation, comparison: Comparison | None) -> str:
    misses = [outcome for outcome in evaluation.outcomes if faults(outcome)]
    earlier = comparison.earlier if comparison is not None else {}
    cards = (
        render_miss(outcome, earlier.get(outcome.id), is_open=place < OPEN_MISSES)
        for place, outcome in enumerate(misses)
    )
    return f"<h2>Misses ({len(misses)})</h2>" + ("".join(cards) or '<p class="soft">None.</p>')
