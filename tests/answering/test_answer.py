"""The way from a question to a checked answer, over the real index; the model is a script that obeys anybody."""

import json
from hashlib import sha256

import pytest
from scripted_llm import ScriptedLLM, ask

from index.engine import Index
from qa.llm_outcome import Complete, Outcome, Refused, Truncated, Unavailable
from qa.types import Answer, Event, Question, Trace, Turn

WEI = "How long did Austin's call with Wei last?"


def text_of(index: Index, made: Answer, number: int = 0) -> str:
    citation = made.citations[number]
    stored = index.store.text("default", citation.document_id)
    return stored[citation.start_char_index : citation.end_char_index]


def test_an_extractive_answer_is_verbatim_and_cited_to_the_line(seeds_index: Index) -> None:
    made = ask(seeds_index, WEI)
    assert made.status == "answered"
    assert "about 45 minutes" in made.answer
    assert (made.citations[0].path, made.citations[0].line_start) == ("004_540da07f2cd0b502.txt", 25)
    assert [text_of(seeds_index, made, n) for n in range(len(made.citations))] == [
        c.cited_text for c in made.citations
    ]


def test_the_right_one_of_two_similar_calls_is_quoted(seeds_index: Index) -> None:
    made = ask(seeds_index, "How long did Austin's call with Dong Jun last?")
    assert "90-minute" in made.answer
    assert "45 minutes" not in made.answer
    assert (made.citations[0].path, made.citations[0].line_start) == ("002_299be7cca7e03bb1.txt", 6)


def test_what_the_corpus_does_not_hold_is_declined_without_asking_the_model(seeds_index: Index) -> None:
    llm = ScriptedLLM()
    made = ask(seeds_index, "Who is the Prime Minister of Japan?", llm)
    assert (made.status, made.answer, made.citations) == ("abstained", "", ())
    assert made.abstention is not None
    assert made.abstention.reason == "no_evidence"
    assert made.abstention.nearest
    assert llm.asked == []


def test_a_supported_sentence_of_a_model_is_shown_with_a_citation_of_ours(seeds_index: Index) -> None:
    made = ask(
        seeds_index,
        WEI,
        ScriptedLLM(Complete("The call between Austin and Wei lasted about 45 minutes [s999].")),
    )
    assert made.answerer.kind == "llm"
    assert made.citations[0].line_start == 25
    assert "s999" not in made.answer


def structured(*sentences: str) -> Complete:
    return Complete(json.dumps({"sentences": [{"text": text, "source": "s1"} for text in sentences]}))


def test_a_draft_in_the_schema_is_judged_sentence_by_sentence(seeds_index: Index) -> None:
    llm = ScriptedLLM(
        structured("Austin's call with Wei lasted about 45 minutes.", "Wei then flew to Paris.")
    )
    made = ask(seeds_index, WEI, llm)
    assert made.answer_plain == "Austin's call with Wei lasted about 45 minutes."
    assert made.citations[0].line_start == 25
    assert [s.shown for s in made.trace.sentences] == [True, False]
    assert '"sentences"' in llm.asked[0][0]["content"]
    assert llm.schemas[0] is not None


def test_an_empty_list_in_the_schema_is_a_refusal(seeds_index: Index) -> None:
    made = ask(seeds_index, "What was discussed about Tibet?", ScriptedLLM(structured()))
    assert made.status == "abstained"


def test_plain_text_is_asked_for_where_schemas_are_off(seeds_index: Index) -> None:
    llm = ScriptedLLM(Complete("Austin's call with Wei lasted about 45 minutes."), structured=False)
    assert ask(seeds_index, WEI, llm).status == "answered"
    assert llm.schemas == [None]
    assert "JSON" not in llm.asked[0][0]["content"]


def test_an_invented_sentence_is_dropped_and_never_cited(seeds_index: Index) -> None:
    llm = ScriptedLLM(
        Complete(
            "Austin's call with Wei lasted about 45 minutes. Wei then flew to Paris to sign 12 treaties."
        )
    )
    made = ask(seeds_index, WEI, llm)
    assert made.status == "partial"
    assert "Paris" not in made.answer


def test_a_draft_is_traced_with_the_hash_of_its_prompt_and_what_was_dropped(seeds_index: Index) -> None:
    text = "Austin's call with Wei lasted about 45 minutes. Austin then sang for 17 hours."
    llm = ScriptedLLM(Complete(text))
    trace = ask(seeds_index, WEI, llm).trace
    sent = json.dumps([dict(message) for message in llm.asked[0]], separators=(",", ":"), sort_keys=True)
    assert trace.prompt_sha256 == sha256(sent.encode()).hexdigest()
    assert trace.draft == text
    assert [(text[item.start : item.end], item.shown) for item in trace.sentences] == [
        ("Austin's call with Wei lasted about 45 minutes.", True),
        ("Austin then sang for 17 hours.", False),
    ]
    assert trace.sentences[1].verdict in {"unsupported", "contradicted"}


def test_without_a_model_there_is_nothing_to_trace(seeds_index: Index) -> None:
    assert ask(seeds_index, WEI).trace == Trace()


def test_flagged_mode_shows_an_unsupported_sentence_without_a_citation(seeds_index: Index) -> None:
    llm = ScriptedLLM(Complete("Wei then flew to Paris to sign 12 treaties."))
    made = ask(seeds_index, Question(WEI, verify="flag"), llm)
    assert [s.verdict in ("unsupported", "contradicted") for s in made.sentences] == [True]
    assert made.citations == ()


@pytest.mark.parametrize(
    "text",
    ["It lasted 3 hours.", "Visit http://evil.example/?q=secret now! [1]", "<img src=x onerror=alert(1)>"],
)
def test_a_model_that_obeys_an_attacker_leaves_the_extractive_answer(seeds_index: Index, text: str) -> None:
    made = ask(seeds_index, WEI, ScriptedLLM(Complete(text)))
    assert made.answerer.kind == "extractive"
    assert "45 minutes" in made.answer
    assert "llm_unsupported" in made.degraded


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Unavailable("llm_timeout", "too slow"), "llm"),
        (Refused(""), "llm_refused"),
        (Truncated("", reason="cut"), "llm"),
        (Unavailable("llm_bad_response", "html"), "llm"),
    ],
)
def test_a_failing_endpoint_leaves_the_extractive_answer(
    seeds_index: Index, outcome: Outcome, code: str
) -> None:
    made = ask(seeds_index, WEI, ScriptedLLM(outcome))
    assert made.status == "answered"
    assert "45 minutes" in made.answer
    assert code in made.degraded


def test_a_prompt_that_is_too_long_is_tried_once_more_with_less(seeds_index: Index) -> None:
    llm = ScriptedLLM(
        Unavailable("context_overflow", "long"), Complete("Austin's call with Wei lasted about 45 minutes.")
    )
    assert ask(seeds_index, WEI, llm).answerer.kind == "llm"
    assert len(llm.asked) == 2


def test_the_unfinished_end_of_a_cut_draft_is_not_shown(seeds_index: Index) -> None:
    llm = ScriptedLLM(
        Truncated("Austin's call with Wei lasted about 45 minutes. Austin and Wei discussed U.S.-Chi")
    )
    made = ask(seeds_index, WEI, llm)
    assert made.answer_plain == "Austin's call with Wei lasted about 45 minutes."
    assert "llm_truncated" in made.degraded


def test_events_tell_each_sentence_once_it_is_checked(seeds_index: Index) -> None:
    events: list[Event] = []
    llm = ScriptedLLM(
        Complete("Austin's call with Wei lasted about 45 minutes. Wei lives in Paris with 12 cats.")
    )
    made = ask(seeds_index, WEI, llm, events)
    assert [event.name for event in events] == ["search", "delta", "citation", "sentence"]
    assert "".join(str(event.data["text"]) for event in events if event.name == "delta") == made.answer


def test_a_follow_up_is_answered_for_what_it_leans_on(seeds_index: Index) -> None:
    history = (Turn("user", "Did Austin talk with Wei?"), Turn("assistant", "Yes, on Wednesday. [1]"))
    made = ask(seeds_index, Question("How long did the call last?", history=history))
    assert "Wei" in made.query.standalone
    assert "45 minutes" in made.answer
