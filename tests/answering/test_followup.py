"""Follow-ups made to stand alone."""

import pytest

from qa.followup import standalone_question
from qa.types import Turn


def history(question: str, answer: str) -> tuple[Turn, ...]:
    return Turn("user", question), Turn("assistant", answer)


def test_a_question_without_history_is_left_alone() -> None:
    assert standalone_question("How long did it last?", ()) == "How long did it last?"


def test_a_question_that_stands_alone_is_left_alone() -> None:
    before = history("Who is the minister?", "Adm. Dong Jun.")
    assert (
        standalone_question("When did Nancy Pelosi visit Taiwan?", before)
        == "When did Nancy Pelosi visit Taiwan?"
    )


def test_a_pronoun_takes_the_person_that_was_asked_for() -> None:
    before = history("Who is China's defence minister?", "The position is now held by Adm. Dong Jun. [1]")
    assert "Dong Jun" in standalone_question("When did he get the job?", before)


def test_what_about_changes_the_name() -> None:
    before = history("How long did Austin's call with Dong Jun last?", "90 minutes. [1]")
    assert standalone_question("And what about Wei?", before) == "How long did Austin's call with Wei last?"


@pytest.mark.parametrize(
    "follow_up", ["How long did it last?", "And how long did that one take?", "Which topics?"]
)
def test_what_is_left_out_comes_from_the_question_before(follow_up: str) -> None:
    before = history("Did Austin call Wei?", "Yes, they spoke on Wednesday. [1]")
    standalone = standalone_question(follow_up, before)
    assert "Austin" in standalone
    assert "Wei" in standalone


def test_a_chain_of_follow_ups_keeps_the_subject() -> None:
    before = (
        *history("Did Austin call Wei?", "Yes. [1]"),
        *history("How long did it last?", "45 minutes. [2]"),
    )
    assert "Wei" in standalone_question("What did they discuss there?", before)
