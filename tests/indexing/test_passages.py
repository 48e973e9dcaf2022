"""Paragraphs to passages."""

from index.load import prepare


def test_a_long_paragraph_gives_several_passages_that_keep_its_number() -> None:
    text = "Intro stands here.\n\n" + "This is one of many sentences of a long paragraph. " * 60
    document, passages = prepare(text.encode(), "a.txt")
    parts = [p for p in passages if p.paragraph == 2]
    assert [p.part for p in parts] == list(range(len(parts)))
    assert len(parts) > 2
    paragraph = document.paragraphs[1]
    assert parts[0].start == paragraph.start
    assert parts[-1].end == paragraph.end


def test_one_endless_sentence_is_cut_between_words() -> None:
    _, passages = prepare(("word " * 1000).encode(), "a.txt")
    assert len(passages) == 5
    assert " ".join(p.text for p in passages).split() == ["word"] * 1000


def test_hard_wraps_are_joined_for_embedding_and_offsets_stay() -> None:
    text = "The tenant shall pay the rent on the first working day of each\nmonth of the year, and by no other way than through the bank.\n"
    document, (passage,) = prepare(text.encode(), "a.txt")
    assert "each month" in passage.text
    assert document.text[passage.start : passage.end] == text.strip()


def test_a_list_item_carries_what_leads_into_its_list() -> None:
    _, passages = prepare(b"The call covered these points, officials said:\n- Trade\n- Peace\n", "a.txt")
    assert [p.context for p in passages] == ["", *["The call covered these points, officials said:"] * 2]
