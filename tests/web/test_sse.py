import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.api import sse

ENDS = ["\n", "\r", "\r\n", "\u2028", "\u2029", "\x85", "\x0b", "\x0c", "\x1c", "\ufeff"]
TEXT = st.lists(st.one_of(st.text(), st.sampled_from([*ENDS, "event: done", "data: x", ":"]))).map("".join)


@given(TEXT)
def test_text_stays_in_its_data_line_whatever_a_client_takes_for_a_line(text):
    sent = sse.frame("delta", {"text": text}).decode()
    assert sent.endswith("\n\n")
    lines = sent.removesuffix("\n\n").splitlines()
    assert lines[0] == "event: delta"
    assert len(lines) == 2
    got = json.loads(lines[1].removeprefix("data: "))["text"]
    assert got == text


def test_half_of_a_surrogate_pair_does_not_break_the_stream():
    assert b"?" in sse.frame("delta", {"text": "a\ud800"})


def test_not_a_number_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        sse.frame("delta", {"score": float("nan")})


@pytest.mark.parametrize("name", ["", "a\ndata: x", "a b", "done\r"])
def test_an_event_is_named_by_a_plain_word(name):
    with pytest.raises(ValueError, match="plain word"):
        sse.frame(name, {})
