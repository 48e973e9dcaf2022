"""Sources that differ, sources that agree, and two things that only look alike: over a real index, and by themselves."""

from collections.abc import Iterator

import disputes
import pytest
from scripted_llm import ScriptedLLM, ask

from index.engine import Index
from index.types import Hit
from qa.disagreement import claim_of, compare, sentence_of, told
from qa.extract import ScoredQuote, Selected
from qa.llm_outcome import Complete
from qa.types import Answer, Event, Question, Quote

INJURED = disputes.INJURED


@pytest.fixture(scope="module")
def disputed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    folder = tmp_path_factory.mktemp("disputes")
    with Index.open(folder / "data", writable=True) as index:
        for name in disputes.CORPORA:
            index.sync(disputes.write(name, folder), collection=name)
        yield index


def asked(index: Index, collection: str, question: str, llm: ScriptedLLM | None = None) -> Answer:
    return ask(index, Question(question, collection=collection), llm)


@pytest.mark.parametrize(
    ("collection", "question", "values"),
    [
        ("fire", INJURED, {"herald.txt": "Twelve", "gazette.txt": "14"}),
        (
            "meeting",
            "When did the budget committee meeting take place?",
            {"minutes.txt": "3 May 2024", "letter.txt": "4 May 2024"},
        ),
        (
            "outage",
            "How long did the power cut in Northgate last?",
            {"grid.txt": "90 minutes", "street.txt": "75 minutes"},
        ),
        (
            "board",
            "Who was elected chair of the Oakridge school board?",
            {"thursday.txt": "Maria Santos", "sunday.txt": "Peter Novak"},
        ),
        ("handbook", "How much notice must staff give?", {"2021.txt": "30 days", "2024.txt": "60 days"}),
    ],
    ids=["number", "date", "duration", "person", "versions"],
)
def test_sources_that_differ_are_told_with_both_citations(
    disputed: Index, collection: str, question: str, values: dict[str, str]
) -> None:
    made = asked(disputed, collection, question)
    (conflict,) = made.conflicts
    cited = {c.id: c for c in made.citations}
    assert {cited[c].path: v for c, v in zip(conflict.citations, conflict.values, strict=True)} == values
    assert all(
        value in cited[c].cited_text for c, value in zip(conflict.citations, conflict.values, strict=True)
    )
    assert conflict.claim == question.rstrip("?")
    last = made.sentences[-1]
    assert (last.verdict, last.layer, last.citations) == ("supported", "program", conflict.citations)


def test_the_sentence_of_the_program_names_files_and_dates(disputed: Index) -> None:
    made = asked(disputed, "fire", INJURED)
    assert (
        "Sources differ: Twelve (herald.txt, 4 May 2024) and 14 (gazette.txt, 6 May 2024)."
        in made.answer_plain
    )
    quoted = [s for s in made.sentences if s.layer == "quote"]
    assert {c for s in quoted for c in s.citations} >= set(made.conflicts[0].citations)


@pytest.mark.parametrize(
    ("collection", "question"),
    [
        ("outage", "How many homes lost power?"),
        ("ferry", "How long was the ferry delayed?"),
        ("ferry", "How many passengers did the ferry carry?"),
        ("ferry", "When was the ferry delayed?"),
        ("calls", "How long did Hart's call with Moreau last?"),
        ("calls", "On which day did Hart speak with Lindqvist?"),
        ("fire", "Who visited the site of the fire?"),
    ],
)
def test_rounded_coarse_and_unrelated_values_are_no_disagreement(
    disputed: Index, collection: str, question: str
) -> None:
    made = asked(disputed, collection, question)
    assert made.conflicts == ()
    assert "Sources differ" not in made.answer


def test_two_calls_that_look_alike_are_told_under_their_names(disputed: Index) -> None:
    made = asked(disputed, "calls", "How long did Hart's call last?")
    assert made.conflicts == ()
    assert "Erik Lindqvist, 20 April 2022: " in made.answer
    assert "Claire Moreau, 16 April 2024: The call lasted 90 minutes" in made.answer_plain
    spans = [made.answer[s.start : s.end] for s in made.sentences]
    assert all("2022:" not in span and "2024:" not in span for span in spans)
    assert [c.cited_text for c in made.citations] == spans


def test_a_weekday_of_two_calls_is_told_with_whom(seeds_index: Index) -> None:
    made = ask(seeds_index, "Which weekday did Austin talk with the Chinese defense minister?")
    assert made.conflicts == ()
    assert made.answer.startswith("Dong Jun: U.S. Secretary of Defense Lloyd Austin spoke Tuesday morning")
    assert "Wei Fenge: On Wednesday’s phone call" in made.answer_plain


def test_a_call_that_the_question_names_is_told_alone(disputed: Index) -> None:
    made = asked(disputed, "calls", "How long did Hart's call with Moreau last?")
    assert "90 minutes" in made.answer
    assert "45 minutes" not in made.answer


def test_the_stream_gives_the_answer_with_labels_and_the_programs_sentence(disputed: Index) -> None:
    for collection, question in (("calls", "How long did Hart's call last?"), ("fire", INJURED)):
        events: list[Event] = []
        made = ask(disputed, Question(question, collection=collection), events=events)
        deltas = "".join(str(event.data["text"]) for event in events if event.name == "delta")
        assert deltas == made.answer


def test_a_draft_that_gives_one_of_the_values_is_followed_by_the_other(disputed: Index) -> None:
    llm = ScriptedLLM(Complete("The fire on Harbour Street injured 14 people."))
    made = asked(disputed, "fire", INJURED, llm)
    assert made.answerer.kind == "llm"
    assert made.status == "answered"
    assert set(made.conflicts[0].values) == {"Twelve", "14"}
    assert made.sentences[-1].layer == "program"
    assert set(made.conflicts[0].citations) <= {c.id for c in made.citations}
    assert len(llm.asked) == 1


def test_a_draft_about_something_else_is_left_alone(disputed: Index) -> None:
    llm = ScriptedLLM(Complete("Investigators are looking at a faulty heater."))
    made = asked(disputed, "fire", INJURED, llm)
    assert made.answerer.kind == "llm"
    assert made.conflicts == ()


# ------------------------------------------------------------------------------------------------- by itself


def said(
    text: str, path: str, score: float = 0.9, date: str | None = None, whole: str = "", number: int = 1
) -> ScoredQuote:
    held = whole or text
    hit = Hit(path, path, "", date, number, 1, 1, 0, len(held), None, held, "", "", 0.9)
    start = held.index(text)
    return ScoredQuote(Quote(hit, start, start + len(text)), text, score)


def around(hit: Hit) -> str:
    return hit.text


LASTED = "How long did the strike at the mill last?"


def test_an_unlikely_sentence_starts_no_dispute() -> None:
    sides = [said("The strike at the mill lasted 9 days.", "a"), said("The strike took 4 days.", "b", 0.3)]
    assert compare(LASTED, sides, around) is None


def test_a_sentence_about_another_matter_starts_no_dispute() -> None:
    sides = [said("The strike at the mill lasted 9 days.", "a"), said("Repairs took 4 days.", "b", 0.89)]
    assert compare(LASTED, sides, around) is None


def test_one_document_differs_from_itself_only_where_both_say_all_that_is_asked() -> None:
    best = said("The strike at the mill lasted 9 days.", "a")
    same = said("The mill strike lasted 4 days.", "a", 0.88, number=2)
    found = compare(LASTED, [best, same], around)
    assert found is not None
    assert sentence_of(found) == "Sources differ: 9 days (a, paragraph 1) and 4 days (a, paragraph 2)."
    assert (
        compare(LASTED, [best, said("The strike went on for 4 days.", "a", 0.88, number=2)], around) is None
    )


def test_documents_written_long_apart_are_told_by_their_dates() -> None:
    sides = [
        said("The strike at the mill lasted 9 days.", "a", date="2019-05-01"),
        said("The strike at the mill lasted 4 days.", "b", date="2023-05-01"),
    ]
    found = compare(LASTED, sides, around)
    assert found is not None
    assert found.apart
    assert [side.label for side in found.sides] == ["1 May 2019", "1 May 2023"]


def test_days_named_beside_the_values_tell_two_events_apart() -> None:
    sides = [
        said("The strike at the mill on 3 March 2023 lasted 9 days.", "a"),
        said("The strike at the mill on 5 June 2023 lasted 4 days.", "b"),
    ]
    found = compare(LASTED, sides, around)
    assert found is not None
    assert [side.label for side in found.sides] == ["3 March 2023", "5 June 2023"]


def test_three_values_are_three_sides() -> None:
    sides = [
        said(f"The strike at the mill lasted {n} days.", name) for n, name in ((9, "a"), (4, "b"), (2, "c"))
    ]
    found = compare(LASTED, [*sides, said("The strike at the mill lasted 30 days.", "d")], around)
    assert found is not None
    assert sentence_of(found) == "Sources differ: 9 days (a), 4 days (b) and 2 days (c)."
    assert [one.text for one in told(LASTED, [], found)] == [side.said.text for side in found.sides]


def test_a_file_name_cannot_pass_for_a_marker() -> None:
    sides = [
        said("The strike at the mill lasted 9 days.", "a [7].txt"),
        said("The strike at the mill lasted 4 days.", "b"),
    ]
    found = compare(LASTED, sides, around)
    assert found is not None
    assert "[7]" not in sentence_of(found)


def test_a_question_for_no_value_has_no_sides() -> None:
    assert compare("Why did they strike?", [said("They struck for pay.", "a")], around) is None
    assert compare(LASTED, [], around) is None


def test_without_a_dispute_the_sentences_stay_as_they_were() -> None:
    one = said("The strike at the mill lasted 9 days.", "a")
    chosen = [Selected(one.text, one.score, (one.quote,))]
    assert told(LASTED, chosen, None) == chosen


def test_a_claim_is_the_question_without_its_mark() -> None:
    assert claim_of(" How long\nwas it? ") == "How long was it"
