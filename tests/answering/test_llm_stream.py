"""Reading the body of a completion: the same pieces however the bytes arrive, and a verdict on every odd body."""

import itertools
import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.breaker import FAILURES, PAUSE_S, WINDOW_S, Breaker
from qa.llm_failure import seconds_of
from qa.llm_stream import BadResponseError, CutShortError, ErrorEventError, event_data, pieces

STREAM = (
    "\ufeff: hello\r\n\r\nevent: x\ndata: one\n\nid: 3\rretry: 5\rdata:two é😀\rdata\rdata:  three\r\r"
    "data: four\r\n\r\n\n\ndata: [DONE]\n\n"
)
EVENTS = ["one", "two é😀\n\n three", "four", "[DONE]"]


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """The bytes in blocks, cut at some places."""
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[begin:end] for begin, end in itertools.pairwise(bounds)]


@given(st.lists(st.integers(0, 1000)))
def test_events_do_not_depend_on_how_the_bytes_arrive(places: list[int]) -> None:
    assert list(event_data(cut(STREAM.encode(), places))) == EVENTS


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_any_bytes_give_pieces_or_a_named_error(data: bytes, places: list[int]) -> None:
    try:
        list(pieces(cut(data, places)))
    except (BadResponseError, CutShortError, ErrorEventError) as error:
        assert str(error)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "delta", "message", "content", "index", "finish_reason", "usage", "error"]
            ),
            inner,
        )
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "error", "model"]), values), max_size=4))
def test_any_json_gives_pieces_or_a_named_error(events: list[dict[str, object]]) -> None:
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"
    try:
        found = list(pieces([body.encode()]))
    except (BadResponseError, ErrorEventError):
        return
    assert all(isinstance(piece.text, str) for piece in found)


def test_usage_counts_only_whole_numbers() -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": -1, "total_tokens": True, "other": 9}
    (piece,) = pieces([json.dumps({"choices": [], "usage": usage}).encode()])
    assert piece.usage == {"prompt_tokens": 3}


def test_a_second_choice_is_not_mixed_into_the_first() -> None:
    choices = [{"index": 1, "delta": {"content": "B"}}, {"index": 0, "delta": {"content": "A"}}]
    (piece,) = pieces([f"data: {json.dumps({'choices': choices})}\n\n".encode()])
    assert piece.text == "A"


NOW = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("1", 1.0),
        ("0.5", 0.5),
        ("3600", 60.0),
        ("-1", None),
        ("NaN", None),
        ("inf", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 12:00:10 GMT", 10.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", None),
        ("Sun, 22 Nov 2026 12:00:10", None),
        ("Sun, 99 Nov 2026 12:00:10 GMT", None),
    ],
)
def test_only_the_sane_part_of_a_retry_after_counts(header: str | None, seconds: float | None) -> None:
    assert seconds_of(header, NOW) == seconds


class Clock:
    """Time that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def failing(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        assert breaker.admit()
        breaker.record(success=False)


def test_a_breaker_opens_after_failures_close_together() -> None:
    breaker = Breaker(Clock())
    failing(breaker, FAILURES)
    assert breaker.open
    assert not breaker.admit()


def test_failures_far_apart_open_nothing() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(FAILURES * 2):
        failing(breaker, 1)
        clock.now += WINDOW_S / 2
    assert not breaker.open


def test_a_success_in_between_starts_the_count_again() -> None:
    breaker = Breaker(Clock())
    failing(breaker, FAILURES - 1)
    breaker.record(success=True)
    failing(breaker, FAILURES - 1)
    assert not breaker.open


def test_only_one_probe_goes_through_and_decides() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    failing(breaker, FAILURES)
    clock.now += PAUSE_S
    assert breaker.admit()
    assert not breaker.admit()
    breaker.record(success=False)
    assert not breaker.admit()
    clock.now += PAUSE_S
    assert breaker.admit()
    breaker.record(success=True)
    assert breaker.admit()
    assert not breaker.open


def test_a_probe_that_was_given_up_lets_the_next_one_through() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    failing(breaker, FAILURES)
    clock.now += PAUSE_S
    assert breaker.admit()
    breaker.record(success=None)
    assert breaker.admit()
