import io
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.logs import LibraryHandler, Log, describe


def _lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_a_line_is_one_json_object_with_time_level_and_event():
    stream = io.StringIO()
    Log(stream, clock=lambda: 1700000000.25).info("ready", port=8000, code=None)
    assert _lines(stream) == [
        {"time": "2023-11-14T22:13:20.250Z", "level": "info", "event": "ready", "port": 8000}
    ]


@given(st.text())
def test_no_value_can_break_out_of_its_line(text):
    stream = io.StringIO()
    Log(stream).warning("failed", route=text)
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert stream.getvalue().rstrip("\n").isprintable()
    assert json.loads(stream.getvalue())["route"] == text[:200]


def test_a_field_that_could_hold_text_is_refused():
    with pytest.raises(ValueError, match="question"):
        Log(io.StringIO()).info("asked", question="what?")


def test_events_below_the_level_are_left_out():
    stream = io.StringIO()
    log = Log(stream, "warning")
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert [line["event"] for line in _lines(stream)] == ["c", "d"]


def test_numbers_that_json_has_not_become_null():
    stream = io.StringIO()
    Log(stream).info("asked", timings_ms={"a": float("nan"), "b": 1.23456}, degraded=("llm",))
    assert _lines(stream)[0]["timings_ms"] == {"a": None, "b": 1.235}


def test_an_error_is_described_without_its_message():
    described = describe(_raised(ValueError("a secret question")))
    assert described["error"] == "ValueError"
    assert "test_logs.py" in described["where"]
    assert "secret" not in str(described)


@pytest.mark.parametrize("name", ["asyncio", "some.library"])
def test_what_libraries_say_is_kept_out_but_not_that_they_said_it(name):
    stream = io.StringIO()
    record = logging.LogRecord(name, logging.ERROR, "/a/base.py", 7, "canary in text", (), None)
    LibraryHandler(Log(stream)).emit(record)
    assert "canary" not in stream.getvalue()
    assert _lines(stream)[0]["where"] == "base.py:7"


def test_uvicorns_templates_are_kept_and_what_goes_into_them_is_not():
    stream = io.StringIO()
    error = _raised(RuntimeError("canary in the error"))
    info = (type(error), error, error.__traceback__)
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "h11.py", 1, "Path %s", ("canary",), info)
    LibraryHandler(Log(stream)).emit(record)
    assert "canary" not in stream.getvalue()
    assert _lines(stream)[0]["message"] == "Path %s"
    assert _lines(stream)[0]["error"] == "RuntimeError"
