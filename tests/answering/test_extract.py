"""Choosing the sentences that answer."""

from dataclasses import replace

from index.types import Hit
from qa.extract import WITH_RERANKER, ScoredQuote, probability, scored_sentences, select, signals_of
from qa.types import Quote


def hit(text: str, document: str = "d1", number: int = 1, score: float = 0.9, lent: str = "") -> Hit:
    return Hit(
        document, f"{document}.txt", "", None, number, 1, 1, 0, len(text), None, text, "", "", score, lent
    )


def quoted(text: str, score: float, document: str = "d1", number: int = 1, whole: str = "") -> ScoredQuote:
    source = hit(whole or text, document, number)
    start = source.text.index(text)
    return ScoredQuote(Quote(source, start, start + len(text)), text, score)


def test_a_sentence_with_the_kind_of_value_asked_for_wins_without_a_reranker() -> None:
    hits = [hit("They spoke at length about many things. The call lasted 45 minutes in all. It was cordial.")]
    best = scored_sentences("How long did the call last?", hits, None)[0]
    assert best.text == "The call lasted 45 minutes in all."


def test_names_lent_by_the_surroundings_count() -> None:
    text = "The 90-minute conversation covered it."
    with_name = signals_of("How long did Austin talk with Dong?", hit(text, lent="Austin, Dong"), text)
    without = signals_of("How long did Austin talk with Dong?", hit(text), text)
    assert probability(with_name, WITH_RERANKER) > probability(without, WITH_RERANKER)


def test_what_the_reader_read_decides_between_sentences_of_like_words() -> None:
    text = "The call was to last an hour. It lasted 45 minutes."
    read = replace(hit(text), read=(-6.0, 3.0))
    unread = hit("The call lasted.", "d2", score=0.95)
    found = scored_sentences("How long did the call last?", [unread, read], None)
    assert [one.text for one in found] == ["It lasted 45 minutes.", "The call was to last an hour."]


def test_the_same_value_elsewhere_is_cited_beside_the_best() -> None:
    chosen = select(
        "How long was it?", [quoted("It took 90 minutes.", 0.9), quoted("A 90 minutes talk.", 0.8, "d2")]
    )
    assert [[q.hit.path for q in one.quotes] for one in chosen] == [["d1.txt", "d2.txt"]]


def test_another_value_as_likely_is_told_too() -> None:
    chosen = select(
        "How long was it?", [quoted("It took 90 minutes.", 0.9), quoted("It took 45 minutes.", 0.88, "d2")]
    )
    assert [one.text for one in chosen] == ["It took 90 minutes.", "It took 45 minutes."]


def test_a_less_likely_other_value_is_left_out() -> None:
    chosen = select(
        "How long was it?", [quoted("It took 90 minutes.", 0.9), quoted("It took 45 minutes.", 0.6, "d2")]
    )
    assert [one.text for one in chosen] == ["It took 90 minutes."]


def test_a_short_paragraph_is_quoted_whole_and_in_order() -> None:
    text = "He noted one thing. The goal is guardrails."
    chosen = select(
        "What is the goal?",
        [quoted("The goal is guardrails.", 0.9, whole=text), quoted("He noted one thing.", 0.1, whole=text)],
    )
    assert [one.text for one in chosen] == ["He noted one thing.", "The goal is guardrails."]


def test_a_question_about_two_people_is_answered_for_both() -> None:
    scored = [
        quoted("The call with Wei lasted 45 minutes.", 0.9),
        quoted("The talk with Dong took 90 minutes.", 0.4, "d2"),
    ]
    chosen = select("How long did the talks with Wei and with Dong last?", scored)
    assert len(chosen) == 2


def test_nothing_found_is_nothing_selected() -> None:
    assert select("What?", []) == []
    assert scored_sentences("What?", [], None) == []
