"""Titles and dates that a text gives of itself."""

from pathlib import Path

import pytest

from index.dates import named_dates, only_date
from index.load import prepare

SEEDS = Path(__file__).parents[2] / "seeds"


@pytest.mark.parametrize(
    ("name", "title", "date"),
    [
        ("000_15860127142dc65e.txt", "", None),
        ("003_268915295563df09.txt", "", "2023-12-21"),
        (
            "004_540da07f2cd0b502.txt",
            "Defense Secretary Austin speaks to his Chinese counterpart for the first time",
            None,
        ),
    ],
)
def test_seeds_give_the_title_and_date_they_state(name: str, title: str, date: str | None) -> None:
    document, _ = prepare((SEEDS / name).read_bytes(), name)
    assert (document.title, document.date) == (title, date)


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ("Notice\n\nPublished: 3 March 2024\n\n", "2024-03-03"),
        ("Memo\nDate: 2021-05-06\n\n", "2021-05-06"),
        ("Minutes of 6 March 2025\n\n", "2025-03-06"),
        ("Aug. 6, 2020\n\n", "2020-08-06"),
        ("Meeting\n\nNext meeting on 4 May 2030 in the hall.\n\n", None),
    ],
)
def test_a_date_at_the_top_or_behind_a_label_is_the_documents(head: str, date: str | None) -> None:
    document, _ = prepare((head + "And then the text begins and goes on for a while. " * 5).encode(), "a.txt")
    assert document.date == date


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2020-08-06", "2020-08-06"),
        ("Aug. 6, 2020", "2020-08-06"),
        ("6 August 2020", "2020-08-06"),
        ("6th of August, 2020", "2020-08-06"),
        ("31 February 2020", None),
        ("You may go", None),
    ],
)
def test_one_day_is_read_in_every_spelling(text: str, iso: str | None) -> None:
    assert next((found.iso for found in named_dates(text)), None) == iso


def test_only_a_date_alone_is_a_date_line() -> None:
    assert only_date("Thursday, March 14, 2022") == "2022-03-14"
    assert only_date("On March 14, 2022 the court sat.") is None
