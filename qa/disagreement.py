"""Whether sources differ: other values for the same thing, or two things that only look alike.

Two likely sentences that give different values of the kind asked for are set side by side. People and days named in
or near them tell two events apart: then each is told under its own label. Where nothing tells them apart the
sources differ, and the answer says so. A false alarm costs more than a miss, so whatever is unclear is neither.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from index.analysis import STOP_WORDS, question_names, share_of_names, stem, stems, tokens
from index.expects import expected
from index.sentences import sentence_spans
from index.timing import versions_of_one
from index.types import Hit
from qa.age import spelled
from qa.days import Day, completed, days_in
from qa.extract import ScoredQuote, Selected
from qa.people import Person, persons_in
from qa.values import COMPARED, Value, agree, differ, values_of

Around = Callable[[Hit], str]
"""What stands around a hit in its document, the hit with it."""

_LIKELY = 0.4
_NEARLY = 0.6
"""Another value counts when its sentence is this likely to answer, and at least this share as likely as the best."""
_NEARLY_ALL_SAID = 0.45
"""The share for a sentence that holds every content word of the question."""
_SAME_DOCUMENT = 0.85
"""The share within one document, which seldom contradicts itself."""
_ABOUT_IT = 0.5
"""Share of the question's content words that must stand in the paragraph of each of the sentences, ..."""
_SOME, _MOST = 0.25, 0.75
"""... or this share in the paragraph, and this one with what stands around it."""
_MOST_SIDES = 3
_FAR_APART = 180
"""Days between two documents after which they are not taken to be about the same event without a sign of it."""
_DATED = frozenset(("weekday", "month", "year", "date"))
_ASKS = frozenset(
    """
    long many much often old far last lasted take took taken happen happened place time date day weekday year month
    """.split()
)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the values, the sentence that gives it, and what tells its event from the other's, if anything."""

    said: ScoredQuote
    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Compared:
    """Sentences that give different values: for one thing (`apart` is False), or for things that only look alike."""

    sides: tuple[Side, ...]
    apart: bool
    values: tuple[tuple[Value, ...], ...]


def compare(question: str, scored: Sequence[ScoredQuote], around: Around) -> Compared | None:
    """The likely sentences that give different values, the best first; None where there are no two."""
    given = _giving(question, scored, around)
    if not given:
        return None
    best, sides, apart = given[0], [given[0]], False
    labels = ("", "")
    for rival in given[1:]:
        if not all(differ(rival[1], values) for _, values in sides) or not _near(question, rival[0], best[0]):
            continue
        names = _told_apart(question, best[0], rival[0], around)
        if len(sides) == 1:
            apart, labels = any(names), names
        elif apart or any(names):
            continue
        sides.append(rival)
    if len(sides) == 1:
        return None
    shown = sides[:_MOST_SIDES]
    told_as = tuple(Side(one, values[0].text, labels[min(n, 1)]) for n, (one, values) in enumerate(shown))
    return Compared(told_as, apart, tuple(values for _, values in shown))


def _giving(
    question: str, scored: Sequence[ScoredQuote], around: Around
) -> list[tuple[ScoredQuote, tuple[Value, ...]]]:
    """The likely sentences about the question's matter that give a value of the kind asked for."""
    kind = expected(question)
    if kind is None or kind not in COMPARED:
        return []
    best = max((one.score for one in scored), default=1.0)
    likely = [one for one in scored if one.score >= max(_LIKELY, _share(question, one.text) * best)]
    given = [(one, values_of(kind, question, one.text, one.quote.hit.date)) for one in likely]
    return [(one, values) for one, values in given if values and _about_it(question, one, around)]


def _share(question: str, sentence: str) -> float:
    """The share of the best sentence's likelihood that is enough: less where all the question's words are said."""
    return _NEARLY_ALL_SAID if _content(question) <= stems(sentence) else _NEARLY


def told(question: str, chosen: Sequence[Selected], compared: Compared | None) -> list[Selected]:
    """The sentences of an answer with each of the values among them, labelled where two things look alike."""
    if compared is None:
        return list(chosen)
    found = list(chosen)
    for side, values in zip(compared.sides, compared.values, strict=True):
        at = _told_at(question, found, side, values, apart=compared.apart)
        if at is None:
            found.append(Selected(side.said.text, side.said.score, (side.said.quote,), side.label))
        elif side.label:
            at = next(n for n, one in enumerate(found) if _paragraph(one) == _paragraph(found[at]))
            found[at] = replace(found[at], label=side.label)
    return found


def _told_at(
    question: str, found: Sequence[Selected], side: Side, values: tuple[Value, ...], *, apart: bool
) -> int | None:
    """Where an answer tells a side: by its sentence, or where two things are told apart by another of its document."""
    quote, kind = side.said.quote, expected(question)
    for n, one in enumerate(found):
        if one.quotes[0] == quote:
            return n
    for n, one in enumerate(found):
        given = values_of(kind, question, one.text, one.quotes[0].hit.date) if kind and apart else ()
        if one.quotes[0].hit.document_id == quote.hit.document_id and agree(given, values):
            return n
    return None


def _paragraph(one: Selected) -> tuple[str, int]:
    return one.quotes[0].hit.document_id, one.quotes[0].hit.paragraph


def sentence_of(compared: Compared) -> str:
    """The program's own sentence: each value with its file and date."""
    hits = [side.said.quote.hit for side in compared.sides]
    one_file = len({hit.path for hit in hits}) < len(hits)
    told = [
        f"{side.value} ({_source(hit, paragraph=one_file)})"
        for side, hit in zip(compared.sides, hits, strict=True)
    ]
    return f"Sources differ: {', '.join(told[:-1])} and {told[-1]}."


def claim_of(question: str) -> str:
    """What the sources differ on: the question without its mark."""
    return " ".join(question.split()).rstrip("?!. ")


def gives(compared: Compared, question: str, text: str) -> bool:
    """Whether a text gives one of the values."""
    kind = expected(question)
    found = values_of(kind, question, text, None) if kind is not None else ()
    return any(found and not differ(found, values) for values in compared.values)


def _source(hit: Hit, *, paragraph: bool) -> str:
    path = re.sub(r"\s+", " ", hit.path.translate({ord("["): "(", ord("]"): ")"}))
    parts = [path, f"paragraph {hit.paragraph}" if paragraph else "", spelled(hit.date)]
    return ", ".join(part for part in parts if part)


# ----------------------------------------------------------------------------------- is it the same thing?


def _place(scored: ScoredQuote) -> tuple[str, int]:
    return scored.quote.hit.document_id, scored.quote.hit.paragraph


def _near(question: str, one: ScoredQuote, best: ScoredQuote) -> bool:
    """Whether a sentence stands in another document than the best, or says all that is asked, nearly as likely."""
    if _place(one)[0] != _place(best)[0]:
        return True
    whole = _place(one) != _place(best) and _content(question) <= stems(one.text)
    return whole and one.score >= _SAME_DOCUMENT * best.score


def _about_it(question: str, one: ScoredQuote, around: Around) -> bool:
    """Whether the sentence, with what stands around it, is about what the question names."""
    hit = one.quote.hit
    near = f"{hit.text} {hit.context} {hit.title} {hit.lent}"
    if share_of_names(question_names(question), f"{near} {spelled(hit.date)} {around(hit)}") < 1:
        return False
    wanted = _content(question) - {stem(name) for name in question_names(question)}
    if len(wanted & stems(near)) >= _ABOUT_IT * len(wanted):
        return True
    some = len(wanted & stems(near)) >= _SOME * len(wanted)
    return some and len(wanted & stems(around(hit))) >= _MOST * len(wanted)


def _content(question: str) -> set[str]:
    """The stems of what the question is about, without the words that only ask."""
    return {stem(word) for word in tokens(question) if word.lower() not in STOP_WORDS | _ASKS}


def _told_apart(question: str, best: ScoredQuote, other: ScoredQuote, around: Around) -> tuple[str, str]:
    """The labels of two events; ("", "") where nothing tells them apart."""
    mine, theirs = best.quote.hit, other.quote.hit
    one, two = _counterpart(question, mine, theirs, around), _counterpart(question, theirs, mine, around)
    if one and two and expected(question) != "person":
        return _labels((one, two), (mine, theirs))
    days = _days(mine), _days(theirs)
    dated = expected(question) in _DATED
    if not dated and all(days) and not any(_fit(a, b) for a in days[0] for b in days[1]):
        return _written(days[0][0]), _written(days[1][0])
    return _labels(("", ""), (mine, theirs)) if _far_apart(mine, theirs) else ("", "")


def _counterpart(question: str, hit: Hit, other: Hit, around: Around) -> str:
    """The person who takes part in what the question asks about and is named around this hit only; "" for none."""
    text, elsewhere = around(hit), around(other)
    known = {stem(word) for word in tokens(question)}
    theirs = {key for person in persons_in(elsewhere) for key in person.keys} | stems(elsewhere)
    named = [name for name in question_names(question) if not any(c.isdigit() for c in name)]
    found: list[_Part] = []
    for start, end in sentence_spans(text):
        sentence = text[start:end]
        if not named or not share_of_names([*named[:1]], sentence):
            continue
        for person in persons_in(sentence):
            if person.speaks or person.keys & (known | theirs):
                continue
            part = next((part for part in found if part.keys & person.keys), None)
            if part is None:
                found.append(part := _Part(set(), person.name))
            part.keys |= person.keys
            part.name = max(part.name, person.name, key=len)
            part.weight += 1 + _linked(sentence, person)
    return max(found, key=lambda part: part.weight).name if found else ""


@dataclass(slots=True)
class _Part:
    """A person and how much he has to do with the matter."""

    keys: set[str]
    name: str
    weight: float = 0.0


def _linked(sentence: str, person: Person) -> float:
    """1 where the person is whom something was done with: "a call with Gen. Wei"."""
    return float(bool(re.search(r"\b(?:with|to|between)\s+(?:[\w’'.]+\s+){0,5}$", sentence[: person.start])))


def _days(hit: Hit) -> list[Day]:
    """Days that the paragraph names to the day of the month, with the document's year where none is given."""
    found = [day for day in days_in(hit.text) if day.month is not None and day.day is not None]
    lent = {day.start: day for day in completed(found, hit.date)}
    return [lent.get(day.start, day) for day in found]


def _fit(one: Day, other: Day) -> bool:
    years = one.year is None or other.year is None or one.year == other.year
    return years and (one.month, one.day) == (other.month, other.day)


def _written(day: Day) -> str:
    return f"{date(day.year or 2000, day.month or 1, day.day or 1):%-d %B}" + (
        f" {day.year}" if day.year else ""
    )


def _far_apart(one: Hit, other: Hit) -> bool:
    """Whether two documents that are not versions of one another were written long apart."""
    try:
        first, second = date.fromisoformat(one.date or ""), date.fromisoformat(other.date or "")
    except ValueError:
        return False
    alike = versions_of_one(one.title, other.title)
    return abs((first - second).days) > _FAR_APART and not alike


def _labels(names: tuple[str, str], hits: tuple[Hit, Hit]) -> tuple[str, str]:
    """A name and the document's date, as far as they are known."""
    one, two = (
        ", ".join(part for part in (name, spelled(hit.date)) if part)
        for name, hit in zip(names, hits, strict=True)
    )
    return one, two
