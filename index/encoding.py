"""From the bytes of a text file to its text, whatever encoding it was written in."""

import re

from index.errors import RejectedError
from index.visible import inert

MOST_CHARACTERS = 20_000_000
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
_SAMPLE = 64 * 1024
_LEGACY = (
    "cp1250", "iso8859_2", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "shift_jis", "euc_jp",
    "iso2022_jp", "gb18030", "big5", "euc_kr",
)  # fmt: skip
_WIDER = {"shift_jis": "cp932", "euc_kr": "cp949"}
"""What Windows writes under the older name."""
# Characters that text files hold besides printable ones: tab, line breaks, form feed, escapes of terminals, backspace.
_CONTROL = re.compile("[\x01-\x07\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.01
_MOST_UNREADABLE = 0.05
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
"""Half a UTF-16 pair written as UTF-8, as some databases do."""
_SYMBOL_IN_WORD = re.compile(r"[^\W\d_][\u0080-\u0090\u009d¡-¶¸-¿×÷\ufffd][^\W\d_]")


def decoded(data: bytes, declared: str = "") -> tuple[str, tuple[str, ...]]:
    """The text of a file and notes on how it was read; `declared` is an encoding that the file itself names.

    Raises:
        RejectedError: `empty`, `not_text` or `too_large`.
    """
    text, notes = _decoded(data, declared)
    if "\0" in text:
        text = text.replace("\0", "")
        notes = (*notes, "NUL characters removed")
    unreadable = text.count("\ufffd")
    if (
        len(_CONTROL.findall(text)) > _MOST_CONTROLS * len(text) + 1
        or unreadable > _MOST_UNREADABLE * len(text) + 1
    ):
        raise RejectedError("not_text", "the file holds binary data, or its encoding cannot be told")
    if unreadable:
        notes = (*notes, f"{unreadable} characters could not be read")
    if not any(map(str.isalnum, text)):
        raise RejectedError("empty", "the file holds no words")
    if len(text) > MOST_CHARACTERS:
        raise RejectedError("too_large", f"more than {MOST_CHARACTERS:,} characters of text")
    return inert(text), notes


def _decoded(data: bytes, declared: str) -> tuple[str, tuple[str, ...]]:
    marked = next((name for bom, name in _BOMS if data.startswith(bom)), None)
    if b"\x1b$B" in data:  # the one encoding here that is all ASCII bytes
        marked = "iso2022_jp"
    encoding = marked or _without_mark(data) or "utf-8"
    try:
        return data.decode(encoding), ()
    except UnicodeDecodeError:
        pass
    if encoding != "utf-8" or _is_mostly_utf8(data):
        return data.decode(encoding, "replace"), ()
    if b"\0" in data:
        raise RejectedError("not_text", "the file holds binary data")
    encoding = _declared(data, declared) or _legacy(data[:_SAMPLE])
    return data.decode(encoding, "replace"), (f"decoded as {encoding.replace('cp125', 'windows-125')}",)


def _without_mark(data: bytes) -> str | None:
    """UTF-16 without a byte order mark shows in the zeros at every other place, as blanks and line ends have them."""
    sample = data[:_SAMPLE]
    if len(data) % 2 or sample.count(0) * 50 < len(sample) or not sample:
        return None
    for encoding, high in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[0::2])):
        if high.count(0) * 20 > sample.count(0) * 19:
            return encoding
    return None


def _is_mostly_utf8(data: bytes) -> bool:
    """Whether damaged UTF-8 is likelier than another encoding: most bytes above ASCII form its letters."""
    text = _SURROGATE.sub(b"", data[: 16 * _SAMPLE]).decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    return sum(1 for c in text if c >= "\x80") >= 2 * damaged


def _declared(data: bytes, name: str) -> str | None:
    """The encoding that a file names, where it is a text encoding and fits its bytes."""
    try:
        text = data.decode(name or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return None
    return None if _SYMBOL_IN_WORD.search(text) else name


def _legacy(sample: bytes) -> str:
    """The likeliest encoding from before Unicode. Western European is the default, where nothing speaks against it."""
    western = sample.decode("cp1252", "replace")
    odd = len(_SYMBOL_IN_WORD.findall(western))
    latin = len(re.findall(r"[A-Za-z]", western))
    foreign = sum(1 for c in western if c >= "\x80" and c.isalpha())
    if odd <= 1 + foreign // 20 and foreign * 2 <= latin:
        return "cp1252"
    from charset_normalizer import from_bytes  # noqa: PLC0415 - a few files in a thousand need it, and 0.06 s

    best = from_bytes(sample, cp_isolation=list(_LEGACY)).best()
    if best is None:  # it never names ISO 8859-2
        return "iso8859_2" if odd else "cp1252"
    return _WIDER.get(best.encoding, best.encoding)
