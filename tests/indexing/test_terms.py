from collections.abc import Iterator

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.terms import MAX_TERMS, clean, match_any, words

ANYTHING = st.text(st.characters(codec=None), max_size=60)  # lone surrogates and NUL among them
SPECIAL = [
    "don't",
    "c++",
    "node.js",
    "100%",
    '"',
    "-x",
    "",
    "a AND b",
    "NEAR(a b)",
    "text:a",
    "a*",
    "^a",
    "(",
    "{a}",
    "\0",
]


@pytest.fixture(scope="module")
def fulltext() -> Iterator[apsw.Connection]:
    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(text, tokenize='porter unicode61 remove_diacritics 2')")
    rows = [
        "Don't use node.js here",
        "C++ and U.S. policy",
        "El Niño in São Paulo",
        "snake_case costs 1,000",
        "x\0y",
    ]
    db.executemany("INSERT INTO t (text) VALUES (?)", [(row,) for row in rows])
    yield db
    db.close()


def rows(db: apsw.Connection, question: str) -> list[int]:
    match = match_any(words(question))
    if not match:
        return []
    return [row[0] for row in db.execute("SELECT rowid FROM t WHERE t MATCH ? ORDER BY rowid", (match,))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop", ["don't", "stop"]),
        ("What is C++?", ["what", "is", "c++"]),
        ("node.js in the U.S.", ["node.js", "in", "the", "u.s"]),
        ("the the THE", ["the"]),
        ("well-known 2022-04-20", ["well", "known", "2022-04-20"]),
        ("1,000 people, 10:30", ["1,000", "people", "10:30"]),
        ("AT&T’s 100% (snake_case)", ["at&t’s", "100", "snake_case"]),
        ("São Paulo हिन्दी 北京", ["são", "paulo", "हिन्दी", "北京"]),
        ("e\u0301t\u00e9", ["e\u0301t\u00e9"]),
        ("-x \"quoted\" 'single' c#", ["x", "quoted", "single", "c#"]),
        ("... !? -- \u0301", []),
        ("", []),
    ],
)
def test_words_are_lower_cased_distinct_and_in_order(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("don't", [1]),
        ("node.js", [1]),
        ("js", [1]),
        ("c++", [2]),
        ("U.S.", [2]),
        ("policies", [2]),
        ("nino sao", [3]),
        ("1,000", [4]),
        ("case", [4]),
        ("nowhere", []),
    ],
)
def test_a_word_finds_the_row_that_holds_it(
    fulltext: apsw.Connection, question: str, found: list[int]
) -> None:
    assert rows(fulltext, question) == found


@pytest.mark.parametrize("special", SPECIAL)
def test_nothing_a_person_types_is_syntax(fulltext: apsw.Connection, special: str) -> None:
    assert 3 in rows(fulltext, f"{special} paulo")
    assert fulltext.execute(
        "SELECT rowid FROM t WHERE t MATCH ?", (match_any([special, "paulo"]),)
    ).fetchall()


@given(st.lists(ANYTHING, max_size=8))
def test_no_term_breaks_the_query(terms: list[str]) -> None:
    db = apsw.Connection(":memory:")
    db.execute("CREATE VIRTUAL TABLE t USING fts5(text)")
    db.execute("INSERT INTO t VALUES ('paulo')")
    match = match_any([*terms, "paulo"])
    assert db.execute("SELECT rowid FROM t WHERE t MATCH ?", (match,)).fetchall() == [(1,)]
    db.close()


@given(ANYTHING)
def test_words_are_never_empty_repeated_or_unstorable(text: str) -> None:
    found = words(text)
    assert len(found) == len(set(found))
    assert all(any(map(str.isalnum, word)) for word in found)
    assert " ".join(found).encode().decode().split() == found


@given(ANYTHING)
def test_cleaning_keeps_every_offset(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert cleaned.encode().decode() == cleaned
    assert all(
        before == after
        for before, after in zip(text, cleaned, strict=True)
        if not "\ud800" <= before <= "\udfff"
    )


def test_a_long_question_is_cut() -> None:
    assert words(" ".join(f"w{n}" for n in range(1000))) == [f"w{n}" for n in range(MAX_TERMS)]


def test_thousands_of_terms_are_still_a_query(fulltext: apsw.Connection) -> None:
    match = match_any([f"w{n}" for n in range(3000)] + ["policy"])
    assert fulltext.execute("SELECT rowid FROM t WHERE t MATCH ?", (match,)).fetchall() == [(2,)]


def test_no_term_gives_no_query() -> None:
    assert match_any(["++", "", '"']) == ""
