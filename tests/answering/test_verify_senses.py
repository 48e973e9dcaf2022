"""Negation, opposites, order of names and offices, each layer alone."""

import pytest

from qa.facts import read
from qa.identity import misnamed
from qa.polarity import excluded, flipped
from qa.roles import displaced, swapped
from qa.tokens import key_of, tokens_of

CALLED = "Austin called Wei on Tuesday."


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Austin did not call Wei.", CALLED),
        ("Austin never called Wei on Tuesday.", CALLED),
        ("The behavior is safe.", "The behavior is not safe."),
        ("The behavior is unsafe.", "The behavior is safe."),
        ("Exports increased in May.", "Exports decreased in May."),
        ("The talks resumed.", "The talks were suspended."),
        ("Talks were held before the visit.", "Talks were held after the visit."),
        ("Li spoke with Austin.", "Li refused to speak with Austin."),
        ("Li spoke with Austin.", "There were months of failed attempts to speak with Austin."),
        ("Blinken has visited China.", "Blinken has yet to visit China."),
        ("The drug shows no significant effect.", "The drug shows a significant effect."),
        ("Xi gave Biden assurances.", "There was no indication that Biden received any assurances."),
    ],
)
def test_what_says_the_opposite_is_flipped(claim: str, evidence: str) -> None:
    assert flipped(read(claim), read(evidence))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Austin called Wei.", CALLED),
        ("The behavior is not safe.", "The behavior is unsafe."),
        ("The Pentagon did not offer details.", "The Pentagon offered no details."),
        ("Blinken has not yet visited China.", "Blinken has yet to visit China."),
        ("Austin tried to speak with Xu.", "There were failed attempts to speak with Xu."),
        ("Not only ships but aircraft were seen.", "Ships and aircraft were seen."),
        ("Estrogens have drawbacks.", "Estrogens (which cannot be given to males) have drawbacks."),
        ("China said it would speak.", "China said it would speak, though others disagreed."),
    ],
)
def test_what_agrees_in_other_words_is_not_flipped(claim: str, evidence: str) -> None:
    assert not flipped(read(claim), read(evidence))


def test_an_opposite_elsewhere_does_not_undo_a_negation() -> None:
    evidence = read("China said Li wouldn’t speak with his counterpart, though U.S. officials disagreed.")
    assert flipped(read("Li agreed to speak with his counterpart."), evidence)


@pytest.mark.parametrize(
    ("claim", "evidence", "expected"),
    [
        ("They met last spring.", "They met last fall.", True),
        ("They met in the morning.", "They met in the evening.", True),
        ("They met from morning to evening.", "They met from morning to night.", False),
        ("They met last fall.", "They met last fall.", False),
    ],
)
def test_one_of_a_closed_set_excludes_the_others(claim: str, evidence: str, expected: bool) -> None:
    assert excluded(read(claim), read(evidence)) is expected


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Wei called Austin.", "Austin called Wei."),
        ("Austin was called by Wei.", "Austin called Wei."),
        ("Wei called Austin.", "Wei was called by Austin."),
        ("Austin asked for the call with Biden.", "Biden, who left early, requested the call with Austin."),
        ("Xu is more influential than Wei and Li.", "Wei is more influential than Xu and Li."),
        ("Ukraine criticized China.", "China, which backs Moscow, has repeatedly criticized Ukraine."),
    ],
)
def test_swapped_roles_are_seen(claim: str, evidence: str) -> None:
    assert swapped(read(claim, opens_with_name=True), read(evidence, opens_with_name=True))


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Wei was called by Austin.", "Austin called Wei."),
        ("Wei spoke with Austin.", "Austin spoke with Wei."),
        ("Xi and Biden met in May.", "Biden and Xi met in May."),
        ("Dong held talks with Austin.", "Austin held talks with Dong."),
        ("Li was sanctioned for arming China.", "Li was sanctioned by the United States for arming China."),
        ("On Tuesday Austin called Wei.", CALLED),
    ],
)
def test_the_same_roles_in_another_order_are_not_swapped(claim: str, evidence: str) -> None:
    assert not swapped(read(claim, opens_with_name=True), read(evidence, opens_with_name=True))


@pytest.mark.parametrize(
    ("claim", "evidence", "kind"),
    [
        ("They met near San Diego in May.", "They met near San Francisco in May.", "name"),
        ("A visit to Japan by Pelosi began.", "A visit to Taiwan by Pelosi began.", "name"),
        ("They met near San Francisco in May.", "They met near San Francisco in May.", ""),
        ("Austin's call with Wei ended.", "Austin’s call followed Biden’s call with Xi.", ""),
        ("The call with Wei ended.", "The call with Chinese Gen. Wei Fenge ended.", ""),
    ],
)
def test_another_name_in_the_same_place_is_displaced(claim: str, evidence: str, kind: str) -> None:
    assert displaced(read(claim, opens_with_name=True), read(evidence, opens_with_name=True)) == kind


@pytest.mark.parametrize(
    ("claim", "expected"),
    [
        ("Wei is deputy chairman of the Military Commission.", True),
        ("Xu is deputy chairman of the Military Commission.", False),
        ("Wei is Austin's counterpart.", False),
    ],
)
def test_an_office_belongs_to_the_name_beside_it(claim: str, expected: bool) -> None:
    evidence = (
        "As deputy chairman of the Military Commission, Xu is more influential than the minister, Gen. Wei."
    )
    assert misnamed(read(claim, opens_with_name=True), read(evidence)) is expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("U.S.", "American"),
        ("Chinese", "China"),
        ("defence", "defense"),
        ("spoke", "speak"),
        ("organised", "organizes"),
        ("IL-2", "il2"),
    ],
)
def test_two_spellings_share_a_key(one: str, other: str) -> None:
    assert key_of(one) == key_of(other)


def test_the_pronoun_us_is_no_country() -> None:
    assert key_of("us") != key_of("US")


def test_the_united_states_are_one_word() -> None:
    assert [t.key for t in tokens_of("the United States and the UK")] == ["the", "usa", "and", "the", "uk"]


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        (
            "Dr Wynne takes part in the rota for one week in five.",
            "The Employee takes part in the rota for one week in five.",
        ),
        (
            "Halden Foods shall pay the fees of Pell and Rook for advice.",
            "The Employer shall pay the fees of Pell and Rook for advice.",
        ),
    ],
)
def test_what_a_contract_calls_a_party_is_no_other_name(claim: str, evidence: str) -> None:
    assert displaced(read(claim), read(evidence)) == ""


def test_one_party_of_a_contract_is_not_the_other() -> None:
    claim, evidence = "When ill, the Tenant may end the lease.", "When ill, the Landlord may end the lease."
    assert displaced(read(claim), read(evidence)) == "name"


def test_a_passive_that_is_cut_short_has_its_agent_after_it() -> None:
    evidence = "Austin spoke with Wei on a link established by the Pentagon and Beijing in 2008."
    assert not swapped(read("The link was established by the Pentagon and Beijing."), read(evidence))
