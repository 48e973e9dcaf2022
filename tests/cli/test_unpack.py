"""JSON objects of the contract: from values and back, and nothing else is let in."""

import copy
import json
from collections.abc import Iterator

import pytest
from scripted import abstained, answer, citation, disputed, document, hit, paragraphs

from index.types import Filters, SearchResult
from qa import payload, unpack, wire
from qa.types import Answer, Question, Sentence, Turn, Verified

ANSWERS = {"answered": answer(), "abstained": abstained(), "disputed": disputed()}
each_answer = pytest.mark.parametrize("given", ANSWERS.values(), ids=ANSWERS)


def over_the_wire(value: object) -> object:
    return json.loads(json.dumps(value))


@each_answer
def test_an_answer_survives_the_wire(given: Answer) -> None:
    assert unpack.answer_from(over_the_wire(payload.answer_payload(given))) == given


@each_answer
def test_the_command_line_and_the_api_have_one_shape(given: Answer) -> None:
    assert wire.answer_out(given).model_dump(mode="json") == payload.answer_payload(given)


def test_hits_documents_and_verdicts_survive_the_wire() -> None:
    found = SearchResult((hit(),), ("dense",), {"lexical": 0.5})
    assert unpack.search_from(over_the_wire(payload.search_payload(found))) == found
    checked = Verified((Sentence(0, 0, 4, "partial", 0.5, ("c1",), "Some", "words"),), (citation(),))
    assert unpack.verified_from(over_the_wire(payload.verified_payload(checked))) == checked
    assert unpack.document_from(over_the_wire(payload.document_payload(document()))) == document()
    stored = paragraphs()[2]
    assert unpack.paragraph_from(over_the_wire(payload.paragraph_payload(stored)), document()) == stored


def test_a_question_is_a_valid_request() -> None:
    asked = Question(
        "Why?", "news", (Turn("user", "Who?"),), 3, Filters(path="*.txt", date_to="2024-01-01"), "flag"
    )
    assert wire.QueryRequest.model_validate(payload.question_payload(asked)).to_question() == asked


def damaged(value: object) -> Iterator[tuple[str, object]]:
    """The object with each of its values, one at a time, replaced by something that cannot be right."""
    wrong = {str: 7, int: "7", float: "x", bool: 3, list: {}, dict: [], type(None): 7.5}
    for name, old in dict(value).items():
        broken = copy.deepcopy(value)
        broken[name] = wrong[type(old)]
        yield name, broken


DAMAGED = dict(damaged(over_the_wire(payload.answer_payload(disputed()))))


@pytest.mark.parametrize("name", DAMAGED)
def test_a_value_of_the_wrong_type_is_refused(name: str) -> None:
    with pytest.raises(unpack.ShapeError):
        unpack.answer_from(DAMAGED[name])


@pytest.mark.parametrize("value", [None, [], "x", {}, {"status": "maybe"}])
def test_something_else_than_an_answer_is_refused(value: object) -> None:
    with pytest.raises(unpack.ShapeError):
        unpack.answer_from(value)


@pytest.mark.parametrize("name", sorted(payload.citation_payload(citation())))
def test_a_citation_without_one_of_its_values_is_refused(name: str) -> None:
    given = payload.citation_payload(citation())
    del given[name]
    if name in ("date", "page"):
        assert unpack.citation_from(given) is not None
    else:
        with pytest.raises(unpack.ShapeError, match=name):
            unpack.citation_from(given)
