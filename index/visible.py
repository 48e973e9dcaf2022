"""What a person cannot see in a text: taken out where a text is embedded or extracted, never where it is quoted."""

import re
import unicodedata

# Bidirectional controls, zero-width characters, soft hyphens, fillers, tag characters, variation selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
    # joiners shape Persian and Indic words; between Latin letters they only hide
    "|(?<![\u0600-\u1fff\U0001f000-\U0001ffff])[\u200c\u200d]"
)
_MOST_MARKS = 4
"""Combining marks on one letter; no writing system stacks more, "zalgo" text does."""
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """The text without characters that no reader sees, and with at most four marks on a letter."""
    if text.isascii():
        return text
    text = _INVISIBLE.sub("", text)
    return _without_piles(text) if any(0x300 <= ord(c) < 0x370 for c in text) else text


def inert(text: str) -> str:
    """The text with lone surrogates, NUL and the control characters of terminals replaced one by one.

    Every offset stays right: an escape becomes ␛, anything else U+FFFD.
    """
    if text.isprintable():
        return text
    text = _SURROGATES.sub("\ufffd", text)
    return _CONTROLS.sub(lambda match: "␛" if match.group() == "\x1b" else "\ufffd", text)


def _without_piles(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
