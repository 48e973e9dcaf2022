"""Breaking lines for a terminal: no word cut, nothing lost, the same however the text arrives."""

from hypothesis import example, given
from hypothesis import strategies as st

from qa.wrap import Flow, wrapped

TEXTS = st.text(st.sampled_from("ab 日\n."), max_size=60)


def flowed(pieces: list[str], width: int | None) -> str:
    flow = Flow(width)
    return "".join(flow.feed(piece) for piece in pieces) + flow.end()


def test_a_line_goes_on_under_its_indent() -> None:
    assert wrapped("    one two three", 12) == "    one two\n    three"
    assert wrapped("   6  one two three", 14) == "   6  one two\n      three"


def test_colours_take_no_room() -> None:
    text = "\x1b[1mone\x1b[0m two"
    assert wrapped(text, 7) == text


def test_wide_letters_take_two_cells() -> None:
    assert wrapped("日本 日本 日本", 10) == "日本 日本\n日本"


@given(TEXTS, st.integers(0, 60), st.integers(5, 20))
def test_where_the_stream_is_cut_changes_nothing(text: str, cut: int, width: int) -> None:
    assert flowed([text[:cut], text[cut:]], width) == flowed([text], width)


@given(TEXTS, st.integers(5, 20))
def test_every_word_comes_through_in_order(text: str, width: int) -> None:
    assert flowed([text], width).split() == text.split()


@given(TEXTS, st.integers(12, 20))
@example("aaaaaaa日日日 a", 12)  # what follows a word that the terminal breaks goes on behind its rest
def test_no_line_is_longer_than_its_width_unless_one_word_is(text: str, width: int) -> None:
    for line in flowed([text], width).replace("日", "aa").split("\n"):
        assert len(line) <= width or max(map(len, line.split())) > width


@given(TEXTS)
def test_without_a_width_text_passes_unchanged(text: str) -> None:
    assert flowed([text], None) == text == wrapped(text, None)
