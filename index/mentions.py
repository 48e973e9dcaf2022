"""Names that a paragraph goes on about without repeating them.

"The 90-minute conversation covered …" belongs to the two people named two paragraphs earlier. A reranker that reads
the paragraph alone cannot know; so the names of the question that stand nearby are put before it.
"""

from index.analysis import names_in, question_names, stem, tokens

_NEARBY = 3_000
"""Characters on either side of a paragraph that may name what it goes on about."""
_OPENING = 1_000
"""Characters at the start of a document, where it names its subject."""


def nearby_names(question: str, text: str, start: int, end: int, own: str, *, about: str = "") -> list[str]:
    """Names of the question that paragraph text[start:end] lacks but its surroundings hold, nearest first.

    `own` is what is known of the paragraph already (its words and context), `about` what its document is called by.
    Words that stand side by side in one
    name there ("Dong Jun") come as one.
    """
    have = {stem(word) for word in tokens(own)}
    wanted = {stem(word): word for word in question_names(question) if stem(word) not in have}
    if not wanted:
        return []
    called = {stem(word) for word in tokens(about)}
    given = [word for key, word in wanted.items() if key in called]
    wanted = {key: word for key, word in wanted.items() if key not in called}
    best: dict[str, tuple[int, str]] = {}
    for low, high in (
        (max(start - _NEARBY, 0), min(end + _NEARBY, len(text))),
        (0, min(_OPENING, len(text))),
    ):
        for match in names_in(text[low:high]):
            distance = min(abs(low + match.start() - start), abs(low + match.end() - end))
            keys = {stem(word): wanted[stem(word)] for word in tokens(match.group()) if stem(word) in wanted}
            name = " ".join(keys.values())
            for key in keys:
                if key not in best or (distance, -len(name)) < (best[key][0], -len(best[key][1])):
                    best[key] = (distance, name)
    found = dict.fromkeys([*given, *(name for _, name in sorted(best.values()))])
    return [name for name in found if not any(name != other and name in other for other in found)]
