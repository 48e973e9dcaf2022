"""Falsified and lightly restated sentences, made from true ones by a seeded generator.

Written apart from the verifier on purpose: it shares none of its word lists or patterns.
"""

import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "date", "name", "negation", "roles", "true"]

MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
COUNTS = "zero one two three four five six seven eight nine ten eleven twelve".split()
ORDINALS = "first second third fourth fifth".split()
UNITS = {"minute": "hour", "hour": "day", "day": "week", "week": "month", "month": "year", "year": "month"}
BASES = dict(
    pair.split("/")
    for pair in """spoke/speak held/hold met/meet said/say told/tell began/begin became/become took/take gave/give
    led/lead made/make went/go came/come saw/see found/find kept/keep fell/fall rose/rise grew/grow
    showed/show sought/seek
    cut/cut brought/bring""".split()
)
_BE = "is|are|was|were|has|have|had"
_MODAL = "will|would|can|could|should|may|might|must"

_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_DIGITS = re.compile(r"(?<![\w.,$-])\d+(?:\.\d+)?(?![\w,]|\.\d)(?!-[A-Z])")
_COUNT = re.compile(rf"(?<!-)(?<!hundred )\b(?:{'|'.join(COUNTS[2:])})\b")
_ORDINAL = re.compile(
    r"\bfor the (first) time\b|\b(first|second|third)\b(?= (?:time|meeting|call|talks|visit|high|lap))"
)
_UNIT = re.compile(rf"(?<=\d[ -])({'|'.join(UNITS)})(?=s?\b)")
_DAY = re.compile(
    rf"\b(?P<month>{'|'.join(MONTHS)}|Jan\.|Feb\.|Aug\.|Sept\.|Oct\.|Nov\.|Dec\.)"
    r"(?P<day> \d{1,2}(?!\d))?(?![a-z])"
)
_WEEKDAY = re.compile(rf"\b(?:{'|'.join(WEEKDAYS)})\b")
_AUXILIARY = re.compile(rf"(?<!to )(?<!may )(?<!might )\b(?:{_BE}|{_MODAL})\b(?! not|n['’]t| yet| no\b)")
_NEGATED = re.compile(
    rf"\b({_BE}|{_MODAL}|did|does|do) not\b|\b(wo|would|could|did|does|do|{_BE})n['’]t\b|\b(?:no) (?=[a-z]+\b)"
)
_PAST = re.compile(
    r"(?<=[a-z’'] )(?:[a-z]{4,}ed)"
    r"(?= (?:the|a|an|his|her|its|their|to|with|in|on|that|by|from|about|concerns?|it|them|several)\b)"
)
_STRONG = re.compile(rf"\b(?:{'|'.join(BASES)})\b(?! (?:by|to be))")
_NAME = re.compile(
    r"(?<![.!?“\"] )(?<!^)(?<![A-Z]\. )"
    r"\b(?:[A-Z][a-zé]+(?!-)|[A-Z]{2,}\d*(?:-\d+)?|[A-Z][a-z]*-?\d+)\b(?![.’']?[A-Z])"
)
_NOT_NAMES = (
    frozenset(MONTHS)
    | frozenset(WEEKDAYS)
    | frozenset(
        """
    The This That These Those In On At We They He She It Its But And After Before Since As When While For With
    By Secretary Minister General Gen Adm Admiral President Defense Defence Foreign State Chief Chiefs Staff
    Deputy Leader Senior Navy Capt Speaker House Ministry Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec Joint
    Military National Communist Party Central Commission Department Associated Press News Association OR CI SD
    II III IV RESULTS METHODS CONCLUSIONS BACKGROUND OBJECTIVE DESIGN SETTING PATIENTS Here Our There An A If
    However Furthermore Moreover Thus Although To Within Among Despite Seven Ten Eighty Fifty Twelve Both
    Economic All Some Several Each Many Most Agreement Level These Cabinet Level Strait Sea Street Ocean South
    North East West Taiwanese More January MAIN OUTCOME MEASURES AND THE OF IN
    """.split()
    )
)
_AMERICAN = {"US", "America", "American", "Americans", "States", "United", "Washington"}
_ADVERB = re.compile(
    r"(?<=[a-z] )(?<!not )"
    r"(?:publicly|previously|repeatedly|vastly|significantly|largely|recently|typically|briefly|consistently|"
    r"affirmatively|currently|formally|newly|strongly|dramatically|markedly|relatively|additionally|"
    r"subsequently) (?=[a-z])"
)
_MUTUAL = re.compile(r"\b(?:and|with|between|or|both|versus|vs)\b|[,;:(]")


@dataclass(frozen=True, slots=True)
class Case:
    """A sentence to judge, what was done to it, and the paragraph (index into its document) it came from."""

    text: str
    kind: Kind
    how: str
    origin: str
    document: int
    paragraph: int


def falsified(sentence: str, kind: Kind, others: Sequence[str], chance: random.Random) -> str | None:
    """The sentence with one thing of this kind changed, or None where it holds none."""
    changed = _CHANGES[kind](sentence, others, chance)
    return changed if changed != sentence else None


def restated(sentence: str, chance: random.Random) -> list[tuple[str, str]]:
    """True restatements of a sentence as (how, text): lightly reordered, shortened or written otherwise."""
    found = [(how, change(sentence)) for how, change in _RESTATEMENTS.items()]
    kept = [(how, text) for how, text in found if text != sentence and len(text.split()) >= 5]
    chance.shuffle(kept)
    return kept


def names_in(text: str) -> list[str]:
    """Names of a text that can be exchanged for one another."""
    return [m.group() for m in _NAME.finditer(text) if m.group() not in _NOT_NAMES]


def _at(sentence: str, match: re.Match[str], instead: str) -> str:
    return sentence[: match.start()] + instead + sentence[match.end() :]


def _number(sentence: str, _others: Sequence[str], chance: random.Random) -> str:
    options = [
        _at(sentence, match, _other_number(match.group(), chance))
        for match in _DIGITS.finditer(sentence)
        if not _YEAR.fullmatch(match.group()) and not _dated(sentence, match)
    ]
    options += [
        _at(sentence, m, chance.choice([w for w in COUNTS[2:] if w != m.group()]))
        for m in _COUNT.finditer(sentence)
    ]
    for match in _ORDINAL.finditer(sentence):
        word = match[1] or match[2]
        options.append(
            _at(
                sentence,
                match,
                match.group().replace(word, chance.choice([w for w in ORDINALS if w != word])),
            )
        )
    options += [_at(sentence, m, UNITS[m.group()]) for m in _UNIT.finditer(sentence)]
    return chance.choice(options) if options else sentence


def _dated(sentence: str, match: re.Match[str]) -> bool:
    return any(day.start() <= match.start() < day.end() for day in _DAY.finditer(sentence))


def _other_number(digits: str, chance: random.Random) -> str:
    if "." in digits:
        whole, part = digits.split(".")
        return f"{whole}.{(int(part) + chance.randint(1, 8)) % 10 ** len(part):0{len(part)}d}"
    value = int(digits)
    return str(
        chance.choice(
            [
                n
                for n in (value + chance.randint(1, 9), value * 2, max(1, value // 2), value + 10)
                if n != value
            ]
        )
    )


def _date(sentence: str, _others: Sequence[str], chance: random.Random) -> str:
    options = [
        _at(sentence, m, str(int(m.group()) + chance.choice([-3, -2, -1, 1, 2])))
        for m in _YEAR.finditer(sentence)
    ]
    options += [
        _at(sentence, m, chance.choice([d for d in WEEKDAYS if d != m.group()]))
        for m in _WEEKDAY.finditer(sentence)
    ]
    for match in _DAY.finditer(sentence):
        if match["month"] in ("May", "March") and not match["day"]:
            continue
        month = chance.choice(
            [m for m in MONTHS if m[:3] != match["month"][:3] and m not in ("May", "March")]
        )
        options.append(_at(sentence, match, month + (match["day"] or "")))
        if match["day"]:
            options.append(
                _at(
                    sentence,
                    match,
                    f"{match['month']} {(int(match['day']) + chance.randint(1, 20)) % 28 + 1}",
                )
            )
    options = [option for option in options if option != sentence]
    return chance.choice(options) if options else sentence


def _name(sentence: str, others: Sequence[str], chance: random.Random) -> str:
    inside = set(names_in(sentence))
    found = [m for m in _NAME.finditer(sentence) if m.group() not in _NOT_NAMES]
    strangers = [name for name in others if name not in inside and name not in sentence]
    if not found or not strangers:
        return sentence
    match = chance.choice(found)
    # "Chinese" for "China" would still be true, or nearly
    strangers = [
        name for name in strangers if name[:3] != match.group()[:3] and not {name, match.group()} <= _AMERICAN
    ]
    return _at(sentence, match, chance.choice(strangers)) if strangers else sentence


def _negation(sentence: str, _others: Sequence[str], chance: random.Random) -> str:
    options = [_at(sentence, m, _affirmed(m)) for m in _NEGATED.finditer(sentence)]
    if not options:
        options += [_at(sentence, m, f"{m.group()} not") for m in _AUXILIARY.finditer(sentence)]
        options += [_at(sentence, m, f"never {m.group()}") for m in _PAST.finditer(sentence)]
        options += [_at(sentence, m, f"did not {BASES[m.group()]}") for m in _STRONG.finditer(sentence)]
    return chance.choice(options[:2]) if options else sentence


def _affirmed(match: re.Match[str]) -> str:
    if match[1]:
        return match[1]
    return ("will" if match[2] == "wo" else match[2]) if match[2] else ""


def _roles(sentence: str, _others: Sequence[str], chance: random.Random) -> str:
    """Two names changed about, where what stands between them is neither a list nor a mutual act."""
    found = [
        m for m in re.finditer(_NAME.pattern.replace("(?<!^)", ""), sentence) if m.group() not in _NOT_NAMES
    ]
    options = [
        sentence[: a.start()] + b.group() + sentence[a.end() : b.start()] + a.group() + sentence[b.end() :]
        for n, a in enumerate(found)
        for b in found[n + 1 :]
        if a.group()[:3] != b.group()[:3] and _acts(sentence[a.end() : b.start()])
    ]
    return chance.choice(options) if options else sentence


def _acts(between: str) -> bool:
    words = between.split()
    verb = re.search(r"\b[a-z]{3,}(?:ed|s|es)\b|\b(?:spoke|said|told|led|sought)\b", between)
    return 1 <= len(words) <= 8 and verb is not None and _MUTUAL.search(between) is None


_CHANGES: dict[str, Callable[[str, Sequence[str], random.Random], str]] = {
    "number": _number,
    "date": _date,
    "name": _name,
    "negation": _negation,
    "roles": _roles,
}


def _without_lead(sentence: str) -> str:
    match = re.match(
        r"(?:After|Since|In|On|During|At|Ahead of|As|While|For|Additionally|Previously|Nevertheless)\b[^,;]{3,70}, "
        r"(?=[A-Za-z])(?!who|which|when|and|but)",
        sentence,
    )
    return _capital(sentence[match.end() :]) if match else sentence


def _without_tail(sentence: str) -> str:
    match = re.search(
        r", (?:which|although|while|as|after|including|according to|like) [^;“”\"]{10,}(?=[.]$)", sentence
    )
    return sentence[: match.start()] + "." if match else sentence


def _without_aside(sentence: str) -> str:
    shorter = re.sub(r" \([^()]{2,60}\)", "", sentence, count=1)
    return (
        shorter
        if shorter != sentence
        else re.sub(r", (?:who|which) [^,;]{5,80},(?= [a-z])", "", sentence, count=1)
    )


def _date_last(sentence: str) -> str:
    match = re.match(
        r"((?:In|On|Since) (?:late |early )?(?:[A-Z][a-z]+\.? ?\d{0,2}(?:, \d{4})?|\d{4})), (.+?)\.$",
        sentence,
    )
    short = match is not None and "," not in match[2] and len(match[2].split()) <= 20
    return f"{_capital(match[2])} {match[1][0].lower()}{match[1][1:]}." if match and short else sentence


def _date_first(sentence: str) -> str:
    match = re.match(
        rf"([^,;“”]+?) (on (?:{'|'.join(WEEKDAYS)})"
        rf"|in (?:late |early )?(?:{'|'.join(MONTHS)}|\d{{4}})(?: \d{{4}})?)(\.)$",
        sentence,
    )
    bare = match is not None and re.search(r"\b(?:was|were|is|earlier|later|and|or)$", match[1]) is None
    return f"{_capital(match[2])}, {match[1]}." if match and bare else sentence


def _spelt(sentence: str) -> str:
    tens = {
        20: "twenty",
        30: "thirty",
        40: "forty",
        50: "fifty",
        60: "sixty",
        70: "seventy",
        80: "eighty",
        90: "ninety",
    }

    def spell(match: re.Match[str]) -> str:
        n = int(match.group())
        if 2 <= n <= 12:
            return COUNTS[n]
        if n in tens:
            return tens[n]
        return f"{tens[n - n % 10]}-{COUNTS[n % 10]}" if 20 < n < 100 else match.group()

    return re.sub(
        r"(?<![\w.,$–-])(?<!Aug\. )(?<!Dec\. )(?<!March )\d{1,2}(?= [a-z]{3,}|-minute)(?!\s(?:mg|ml|cm|mm)\b)",
        spell,
        sentence,
        count=1,
    )


def _unspelt(sentence: str) -> str:
    return _COUNT.sub(lambda m: str(COUNTS.index(m.group())), sentence, count=1)


def _in_full(sentence: str) -> str:
    if "US" in sentence or "U.S." in sentence:
        return re.sub(r"\b(?:US|U\.S\.)(?= [a-z])", "United States", sentence, count=1)
    return re.sub(r"(?<=\d)\s?%", " percent", sentence, count=1)


def _without_adverb(sentence: str) -> str:
    return _ADVERB.sub("", sentence, count=1)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_RESTATEMENTS: dict[str, Callable[[str], str]] = {
    "lead dropped": _without_lead,
    "tail dropped": _without_tail,
    "aside dropped": _without_aside,
    "date moved back": _date_last,
    "date moved front": _date_first,
    "number spelt": _spelt,
    "number in digits": _unspelt,
    "written in full": _in_full,
    "adverb dropped": _without_adverb,
}
KINDS: tuple[Kind, ...] = ("number", "date", "name", "negation", "roles")


def cases(
    documents: Sequence[Sequence[Sequence[str]]], chance: random.Random, per_sentence: int
) -> Iterator[Case]:
    """Falsified and true cases from documents given as paragraphs given as sentences."""
    for d, document in enumerate(documents):
        own = [name for paragraph in document for sentence in paragraph for name in names_in(sentence)]
        far = [
            name
            for n in (d - 1, d + 1)
            if 0 <= n < len(documents)
            for p in documents[n]
            for s in p
            for name in names_in(s)
        ]
        for p, paragraph in enumerate(document):
            for sentence in paragraph:
                yield Case(sentence, "true", "as it stands", sentence, d, p)
                yield from (
                    Case(text, "true", how, sentence, d, p) for how, text in restated(sentence, chance)[:2]
                )
                kinds = list(KINDS)
                chance.shuffle(kinds)
                made = 0
                for kind in kinds:
                    others = own if chance.random() < 0.5 else far
                    text = falsified(sentence, kind, others, chance)
                    if text is not None and made < per_sentence:
                        made += 1
                        yield Case(text, kind, kind, sentence, d, p)
