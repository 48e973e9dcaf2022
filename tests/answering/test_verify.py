"""What the paragraphs make of a sentence: verdict, layer, and the spans that say so."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.engine import Index
from index.types import Hit
from qa.similarity import similarity_of
from qa.support import WITH_LEARNED, WITH_READER, Weights
from qa.verify import Judgement, judge

WEI = (
    (
        "Austin requested the telephone conversation with Chinese Gen. Wei Fenge after months of failed attempts to "
        "speak with Gen. Xu Qiliang."
    ),
    (
        "Austin intended the call, which lasted about 45 minutes, as a follow-up to President Biden’s video call with "
        "Chinese President Xi Jinping on March 18. It was not clear how Wei responded Wednesday."
    ),
)
DONG = (
    "US Defense Secretary Lloyd Austin has spoken directly with Chinese Defence Minister Dong Jun.",
    "According to Pentagon officials, the 90-minute conversation covered several critical areas:",
)
ESPER = (
    "Austin’s predecessors had typically spoken with Wei, most recently on Aug. 6, 2020, said Mark Esper.",
)


def document(name: str, paragraphs: Sequence[str], *, title: str = "", date: str | None = None) -> list[Hit]:
    hits: list[Hit] = []
    start = 0
    for number, text in enumerate(paragraphs, start=1):
        digest = sha256(text.encode()).hexdigest()
        end = start + len(text)
        hits.append(
            Hit(
                name,
                f"{name}.txt",
                title,
                date,
                number,
                number,
                number,
                start,
                end,
                None,
                text,
                digest,
                "",
                0.0,
            )
        )
        start = end + 2
    return hits


HITS = document("wei", WEI) + document("dong", DONG) + document("esper", ESPER)


def texts(judgement: Judgement) -> list[str]:
    return [
        quote.hit.text[quote.start - quote.hit.start : quote.end - quote.hit.start]
        for quote in judgement.quotes
    ]


@pytest.mark.parametrize(
    "claim",
    [
        "Austin and Wei spoke for about 45 minutes.",
        "The call between Austin and Wei lasted forty-five minutes [2].",
        "The call between Austin and Dong lasted 90 minutes.",
        "Lloyd Austin and Dong Jun talked for an hour and a half.",
        "Biden and Xi had a video call on March 18.",
        "Austin had requested the conversation with Wei.",
        "Wei and Austin’s predecessors spoke on August 6, 2020.",
        "The United States Defense Secretary has spoken with the Chinese defense minister.",
    ],
)
def test_a_true_restatement_is_supported(claim: str) -> None:
    judged = judge(claim, HITS)
    assert judged.verdict == "supported"
    assert judged.score >= 0.5
    assert judged.quotes


@pytest.mark.parametrize(
    ("claim", "layer"),
    [
        ("Austin intended the call, which lasted about 50 minutes.", "numbers"),
        ("Biden held a video call with Xi on March 19.", "dates"),
        ("Austin’s predecessors had spoken with Wei, most recently on Aug. 6, 2021.", "dates"),
        ("Austin did not request the telephone conversation with Gen. Wei Fenge.", "polarity"),
        ("Chinese Gen. Wei Fenge requested the telephone conversation with Austin.", "roles"),
    ],
)
def test_a_changed_value_contradicts_and_names_its_layer(claim: str, layer: str) -> None:
    judged = judge(claim, HITS)
    assert (judged.verdict, judged.layer) == ("contradicted", layer)
    assert judged.score < 0.5
    assert texts(judged)


@pytest.mark.parametrize(
    "claim",
    [
        "The call between Austin and Dong lasted 45 minutes.",
        "The call between Austin and Wei lasted 90 minutes.",
        "Austin and Putin spoke for 45 minutes.",
        "Austin and Wei discussed climate change and trade.",
        "The Moon is made of cheese.",
        "Austin spoke with Xu Qiliang.",
    ],
)
def test_what_no_paragraph_says_is_not_supported(claim: str) -> None:
    assert judge(claim, HITS).verdict in ("unsupported", "contradicted")


def test_a_verbatim_sentence_is_a_quote_at_its_place() -> None:
    judged = judge("It was not clear how Wei responded Wednesday.", HITS)
    (quote,) = judged.quotes
    assert (judged.verdict, judged.layer, judged.score) == ("supported", "quote", 1.0)
    assert quote.start == HITS[1].start + WEI[1].index("It was not")
    assert quote.end == HITS[1].end


def test_quotation_marks_dashes_and_spaces_may_differ_in_a_verbatim_sentence() -> None:
    hits = document("a", ["“They’re not asking  us for anything,”\nthe official said — again."])
    assert judge('"They\'re not asking us for anything," the official said - again.', hits).layer == "quote"


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("The statement praised “Russia’s unprovoked invasion” of a neighbour.", "unsupported"),
        ("The statement condemned “Russia’s unprovoked invasion” of a neighbour.", "supported"),
    ],
)
def test_words_in_quotation_marks_must_stand_in_the_paragraph(claim: str, verdict: str) -> None:
    invented = "The statement condemned “Russia’s brutal and unprovoked invasion” of a neighbour."
    hits = document("a", [claim if verdict == "supported" else invented.replace("brutal and ", "")])
    assert (judge(claim, hits).verdict == "supported") is (verdict == "supported")


def test_an_invented_quotation_is_unsupported_by_the_quote_layer() -> None:
    hits = document("a", ["The official said that the talks were useful for both of the sides."])
    judged = judge("The official said the talks were “truly useful for both the sides”.", hits)
    assert (judged.verdict, judged.layer) == ("unsupported", "quote")


def test_sources_that_agree_are_all_quoted() -> None:
    again = document("again", ["On Wednesday the call between Austin and Wei lasted 45 minutes."])
    judged = judge("The call between Austin and Wei lasted 45 minutes.", HITS + again)
    assert {quote.hit.document_id for quote in judged.quotes} == {"wei", "again"}


def test_a_sentence_of_which_half_is_true_is_partial() -> None:
    judged = judge(
        "The call lasted about 45 minutes, and Wei promised to visit Moscow.", document("wei", WEI)
    )
    assert judged.verdict == "partial"
    assert texts(judged)


def test_claims_of_one_sentence_may_rest_on_several_paragraphs() -> None:
    judged = judge("Austin requested the conversation with Wei, and the call lasted about 45 minutes.", HITS)
    assert judged.verdict == "supported"
    assert {quote.hit.paragraph for quote in judged.quotes} == {1, 2}


def test_a_list_may_rest_on_all_its_items() -> None:
    items = ["Taiwan Strait tensions", "South China Sea operations", "The growing threat from North Korea"]
    hits = document(
        "d", ["The 90-minute conversation covered several critical areas:", *(f"- {item}" for item in items)]
    )
    claim = "The 90-minute conversation covered Taiwan Strait tensions, South China Sea operations and North Korea."
    assert judge(claim, hits).verdict == "supported"
    assert len(judge(claim, hits).quotes) == 4
    assert judge(claim.replace("North Korea", "Iran"), hits).verdict != "supported"


@pytest.mark.parametrize(
    ("question", "verdict"),
    [("How long did Austin and Wei talk?", "supported"), ("How long did Austin and Dong talk?", "other")],
)
@pytest.mark.parametrize("claim", ["The call lasted about 45 minutes.", "45 minutes."])
def test_a_claim_that_names_nobody_is_about_whom_the_question_names(
    question: str, verdict: str, claim: str
) -> None:
    assert (judge(claim, HITS, question=question).verdict == "supported") is (verdict == "supported")


def test_a_documents_date_completes_what_its_text_leaves_out() -> None:
    hits = document("d", ["Brown spoke to Gen. Liu Zhenli on Thursday morning."], date="2023-12-21")
    assert judge("Brown spoke to Liu Zhenli on December 21, 2023.", hits).verdict == "supported"
    assert judge("Brown spoke to Liu Zhenli on December 22, 2023.", hits).verdict != "supported"


@pytest.mark.parametrize("claim", ["", "  [1]", "Here is the answer:", "Based on the sources:"])
def test_what_states_nothing_is_unsupported(claim: str) -> None:
    assert judge(claim, HITS) == Judgement("unsupported", 0.0, "coverage")


def test_without_hits_nothing_is_supported() -> None:
    assert judge("The call lasted 45 minutes.", []).verdict == "unsupported"


@given(
    st.text(max_size=120),
    st.lists(st.text(max_size=200), max_size=4),
)
def test_any_claim_against_any_paragraphs_gives_quotes_inside_them(claim: str, paragraphs: list[str]) -> None:
    judged = judge(claim, document("a", paragraphs))
    assert 0.0 <= judged.score <= 1.0
    assert (judged.verdict == "supported") <= bool(judged.quotes)
    assert all(quote.hit.start <= quote.start < quote.end <= quote.hit.end for quote in judged.quotes)


@pytest.mark.parametrize(
    "text", ["Austin called Wei and 45 ", "A ", "one hundred and ", "U.S. ", "(", "“a ", "not "]
)
def test_endless_text_is_judged_without_a_hitch(text: str) -> None:
    hits = document("a", [text * 2000] * 4)
    assert judge(text * 100, hits).verdict in ("supported", "unsupported", "contradicted", "partial")
    assert judge(text * 2000, hits).verdict in ("supported", "unsupported")


@dataclass(slots=True)
class Opinion:
    """A learned score that is always the same and remembers what it was asked."""

    value: float
    weights: Weights = WITH_LEARNED
    asked: list[int] = field(default_factory=list)

    def scores(self, claim: str, texts: Sequence[str], /) -> Sequence[float]:
        self.asked.append(len(texts))
        return [self.value] * len(texts)


VAGUE = "The officer said that the impasse had become dangerous to the region."
SOURCE = "The impasse was seen as increasingly dangerous, an officer told them."


@pytest.mark.parametrize(("value", "verdict"), [(0.95, "supported"), (0.02, "unsupported")])
def test_a_learned_score_tips_the_balance_where_no_fact_decides(value: float, verdict: str) -> None:
    judged = judge(VAGUE, document("a", [SOURCE]), Opinion(value))
    assert judged.verdict == verdict


def test_a_learned_score_is_asked_once_for_few_windows() -> None:
    opinion = Opinion(0.5)
    judge(VAGUE, document("a", [SOURCE] * 8), opinion)
    assert len(opinion.asked) == 1
    assert opinion.asked[0] <= 3


@pytest.mark.parametrize(
    "claim", ["It was not clear how Wei responded Wednesday.", "The call lasted about 50 minutes."]
)
def test_no_learned_score_can_overrule_a_fact(claim: str) -> None:
    sure = judge(claim, HITS, Opinion(0.999 if "50" in claim else 0.001))
    assert sure.verdict == judge(claim, HITS).verdict


MINUTES = (
    "It was resolved to halve the pitch fee, from £24 to £12, for the months of April, May and June.",
    "The state's generals said that the U.S. would offer China nothing in return for the talks.",
)


@pytest.mark.parametrize(
    ("claim", "may"),
    [
        (
            "In March 2023 it was resolved to halve the pitch fee from £24 to £12 until June.",
            True,
        ),  # its own date
        ("In March 2022 it was resolved to halve the pitch fee from £24 to £12 until June.", False),
        ("It was resolved to halve the pitch fee from £24 to £13 until June.", False),
        ("The generals said that Washington would offer Beijing nothing in return for the talks.", True),
        ("The generals said that Washington would offer Moscow nothing in return for the talks.", False),
    ],
)
def test_only_a_reader_outweighs_an_objection_and_no_firm_one(claim: str, *, may: bool) -> None:
    hits = document("minutes", MINUTES, date="2023-03-14")
    assert judge(claim, hits).verdict != "supported"
    assert judge(claim, hits, Opinion(0.999)).verdict != "supported"
    assert (judge(claim, hits, Opinion(0.999, WITH_READER)).verdict == "supported") is may


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_learned_score_at_its_limits_is_no_error(value: float) -> None:
    assert 0.0 <= judge(VAGUE, document("a", [SOURCE]), Opinion(value)).score <= 1.0


@pytest.mark.parametrize(
    ("claim", "file"),
    [
        ("The call between Austin and Dong lasted 90 minutes.", "002"),
        ("Austin's call with Wei lasted about 45 minutes.", "004"),
        ("Brown spoke with Liu Zhenli on December 21, 2023.", "003"),
    ],
)
def test_over_the_real_index_the_right_file_is_quoted(seeds_index: Index, claim: str, file: str) -> None:
    judged = judge(claim, seeds_index.search(claim).hits)
    assert judged.verdict == "supported"
    assert judged.quotes[0].hit.path.startswith(file)


@pytest.mark.parametrize(
    "claim",
    ["The call between Austin and Dong lasted 45 minutes.", "Austin's call with Wei lasted 90 minutes."],
)
def test_over_the_real_index_two_like_events_are_kept_apart(seeds_index: Index, claim: str) -> None:
    assert judge(claim, seeds_index.search(claim).hits).verdict != "supported"


@pytest.mark.parametrize(
    ("claim", "learned"),
    [
        ("Dong Jun spoke to the US Defense Secretary in 2022.", False),
        ("Dong Jun spoke to the US Defense Secretary in 2022.", True),
        ("Dong Jun last spoke to the US Defense Secretary in 2022.", True),
        ("The last time Dong Jun spoke to the US Defense Secretary in 2022.", True),
        ("The last meeting of Austin with Dong in Singapore in 2022.", False),
        ("The last meeting of Austin with Dong in Singapore in 2022.", True),
    ],
)
def test_the_time_of_another_event_supports_nothing(seeds_index: Index, claim: str, *, learned: bool) -> None:
    similarity = similarity_of(None, None, seeds_index.reader) if learned else None
    assert judge(claim, seeds_index.search(claim).hits, similarity).verdict not in ("supported", "partial")


LEASE = (
    "Lease of Unit 3, Quarry Yard, dated 4 March 2021 between Brack Estates (the Landlord) and Quill Bakery (the Tenant).",
    "5.2 No more than 12 lithium batteries may be on charge at any one time in the premises.",
    "6.1 The Tenant may not underlet or share the premises or any part of them with anybody.",
)


@pytest.mark.parametrize(
    "claim",
    [
        "At Unit 3 no more than 12 lithium batteries may be on charge at any one time.",
        "The tenant of Unit 3 may not underlet or share the premises or any part of them.",
    ],
)
def test_a_thing_called_by_its_number_is_found_where_its_document_calls_it_so(claim: str) -> None:
    assert judge(claim, document("lease", LEASE)).verdict == "supported"


def test_a_thing_called_by_another_number_is_not() -> None:
    claim = "At Unit 7 no more than 12 batteries may be on charge."
    assert judge(claim, document("lease", LEASE)).verdict != "supported"


def test_acting_is_an_office_only_before_one() -> None:
    hits = document(
        "news",
        ["Last fall, Pentagon officials publicly criticized the Chinese military for reckless conduct."],
    )
    for claim, right in (
        (
            "Last fall Pentagon officials publicly criticized the Chinese military for acting recklessly.",
            True,
        ),
        (
            "Last fall acting Pentagon officials publicly criticized the Chinese military for reckless conduct.",
            False,
        ),
    ):
        assert (judge(claim, hits).verdict == "supported") is right, claim


def test_the_worst_objection_counts_not_the_first() -> None:
    text = "Austin spoke, and in a readout of the call the Pentagon said they discussed the war in Ukraine and Taiwan."
    claim = "In a readout of the call the Pentagon said they discussed the war in Austin and Taiwan."
    assert judge(claim, document("news", [text]), Opinion(0.95, WITH_READER)).verdict != "supported"
    right = claim.replace("war in Austin", "war in Ukraine")
    assert judge(right, document("news", [text]), Opinion(0.95, WITH_READER)).verdict == "supported"
