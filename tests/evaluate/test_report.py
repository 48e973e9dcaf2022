import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from index.types import Hit
from qa.evaluate.compare import Comparison, Difference, Earlier
from qa.evaluate.plots import Bar, bar_plot, latency_plot, risk_coverage_plot
from qa.evaluate.report import render_page
from qa.evaluate.run import summed_up
from qa.evaluate.types import JudgedCitation, JudgedHit, Outcome
from qa.types import Citation

Make = Callable[..., Outcome]
MADE = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script><img src=http://evil.example/x onerror=alert(1)>"
VOID = frozenset(("meta", "line", "rect", "circle", "polyline"))


class Page(HTMLParser):
    """Collects tags, attributes and text, and checks that every element that opens also closes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words: list[str] = []
        self.depth: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in VOID:
            self.depth.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.depth.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def page_of(outcomes: list[Outcome], comparison: Comparison | None = None) -> str:
    return render_page(summed_up("set.jsonl", outcomes, 1.5), comparison, MADE)


def test_the_page_stands_alone(make_outcome: Make) -> None:
    page = Page(page_of([make_outcome(right=False), make_outcome("b", kind="other")]))
    assert page.depth == []
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "onload", "onclick"} & {name for name, _ in page.attributes}
    assert "url(" not in page_of([make_outcome()])


def test_hostile_text_stays_text(make_outcome: Make, hit: Hit, citation: Citation) -> None:
    outcome = make_outcome(
        HOSTILE,
        kind=HOSTILE,
        question=HOSTILE,
        answer=HOSTILE,
        standalone="x" + HOSTILE,
        right=False,
        expected=(HOSTILE,),
        answerer=HOSTILE,
        hits=(JudgedHit(replace(hit, text=HOSTILE, path=HOSTILE), gold=False),),
        citations=(JudgedCitation(replace(citation, cited_text=HOSTILE), gold=False, exact=False),),
        gold_texts={"calls.txt:4": HOSTILE},
    )
    earlier = Earlier(HOSTILE, HOSTILE, True, 1.0, {}, ({"path": HOSTILE, "text": HOSTILE, "score": "x"},))
    comparison = Comparison(HOSTILE, 1, (), (HOSTILE,), (), (), (), {HOSTILE: earlier})
    page = Page(page_of([outcome, make_outcome("b")], comparison))
    assert not {"script", "img"} & set(page.tags)
    assert page.words.count(HOSTILE) > 5


def test_each_miss_stands_beside_its_hits(make_outcome: Make, hit: Hit) -> None:
    miss = make_outcome("m", right=False, answer="54 minutes", hits=(JudgedHit(hit, gold=True),))
    words = " ".join(Page(page_of([miss, make_outcome("ok", gold=())])).words)
    assert "Misses (1)" in words
    for expected in ("m?", "54 minutes", "calls.txt:4", "1. calls.txt:3–4", hit.text, "wrong answer"):
        assert expected in words
    assert "ok?" not in words


def test_a_run_without_misses_says_so(make_outcome: Make) -> None:
    assert "Misses (0)" in page_of([make_outcome(gold=())])


def test_a_comparison_marks_clear_changes(make_outcome: Make) -> None:
    differences = (Difference("mrr", 0.5, 0.4, 0.05, 0.15), Difference("hit@1", 0.5, 0.4, -0.1, 0.3))
    comparison = Comparison("other.json", 2, differences, ("a",), (), (), (), {})
    words = Page(page_of([make_outcome("a")], comparison)).words
    assert "mrr *" in words
    assert "hit@1 *" not in words
    assert "+0.050 to +0.150" in words


@pytest.mark.parametrize(
    "plot",
    [
        risk_coverage_plot([(0.2, 0.0), (0.5, 0.5), (0.9, 0.4)]),
        risk_coverage_plot([(1.0, 0.0)]),
        latency_plot([5.0]),
        latency_plot([0.0, 0.0]),
        latency_plot([1.0, 2.0, 3.0, 400.0]),
        latency_plot([0.01] * 50 + [90_000.0]),
        bar_plot("t & u", [Bar("<a>", 0.0, "0"), Bar("b", 1.0, "1 of 1")]),
    ],
    ids=["risk", "no risk", "one time", "no time", "tail", "long tail", "bars"],
)
def test_a_plot_is_well_formed_and_inside_its_frame(plot: str) -> None:
    root = ET.fromstring(plot)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    for pair in re.findall(r"[-\d.]+,[-\d.]+", " ".join(item.attrib.get("points", "") for item in root)):
        x, y = map(float, pair.split(","))
        assert 0 <= x <= width
        assert 0 <= y <= height


def test_a_plot_without_data_says_so() -> None:
    assert "No question was answered" in risk_coverage_plot([])
    assert "Nothing was timed" in latency_plot([])
    assert "nothing to count" in bar_plot("t", [])


def test_a_coverage_plot_names_where_the_system_stands() -> None:
    assert "90% answered, 40.0% wrong" in risk_coverage_plot([(0.2, 0.0), (0.9, 0.4)])


def test_a_miss_shows_what_was_searched_for_and_what_another_run_found(make_outcome: Make) -> None:
    miss = make_outcome("m", right=False, standalone="And the call with Wei?", degraded=("dense",))
    found = {"path": "navy.txt", "line_start": 3, "line_end": 3, "score": 1.5, "text": "Once.", "gold": True}
    earlier = Earlier("m", "m?", True, 1.0, {}, (found, {"path": "b.txt"}))
    comparison = Comparison("other.json", 1, (), (), ("m",), (), (), {"m": earlier})
    words = " ".join(Page(page_of([miss], comparison)).words)
    for expected in (
        "And the call with Wei?",
        "1. navy.txt:3 · 1.500",
        "Once.",
        "2. b.txt",
        "degraded: dense",
    ):
        assert expected in words


def test_an_invented_answer_is_a_miss_that_expected_none(make_outcome: Make) -> None:
    words = Page(page_of([make_outcome(answerable=False, right=False, gold=())])).words
    assert "No answer: the corpus holds none." in words


def test_a_search_run_has_no_plots_of_answers(make_outcome: Make) -> None:
    run = [make_outcome(status="searched", tallies={"mrr": (1, 1), "hit@1": (1, 1)})]
    page = page_of(run)
    assert page.count("<svg") == 2
    assert "Risk" not in page
    assert "1 queries" in page
