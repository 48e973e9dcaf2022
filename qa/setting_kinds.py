"""What the values of settings may be: each function reads one kind, or says what it takes."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from index.address import store_address
from index.errors import InputError
from qa.secret import Secret

MIN_KEY_LENGTH = 16


class RefusedError(ValueError):
    """A value that a parser does not take; the message says what it takes."""


def text(value: str) -> str:
    """Any text."""
    return value.strip()


def path(value: str) -> Path:
    """A path; `~` is the home folder."""
    return Path(value.strip()).expanduser()


def secret(value: str) -> Secret:
    """A key or token."""
    if not re.fullmatch(r"[\x21-\x7e]+", value.strip()):
        raise RefusedError("printable ASCII characters without spaces")
    return Secret(value.strip())


def api_key(value: str) -> Secret:
    """A key that is long enough not to be guessed."""
    if len(value.strip()) < MIN_KEY_LENGTH:
        raise RefusedError(f"at least {MIN_KEY_LENGTH} characters")
    return secret(value)


def flag(value: str) -> bool:
    """Yes or no."""
    known = {
        "1": True,
        "true": True,
        "yes": True,
        "on": True,
        "0": False,
        "false": False,
        "no": False,
        "off": False,
    }
    try:
        return known[value.strip().lower()]
    except KeyError:
        raise RefusedError("1, true, yes, on, 0, false, no or off") from None


def whole(low: int, high: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def parse(value: str) -> int:
        digits = value.strip()
        if not re.fullmatch(r"[0-9]{1,12}", digits) or not low <= int(digits) <= high:
            raise RefusedError(f"a whole number from {low} to {high}")
        return int(digits)

    return parse


def seconds(high: float) -> Callable[[str], float]:
    """A time of more than nothing."""

    def parse(value: str) -> float:
        allowed = f"seconds, more than 0 and at most {high:g}"
        try:
            found = float(value)
        except ValueError:
            raise RefusedError(allowed) from None
        if not math.isfinite(found) or not 0 < found <= high:
            raise RefusedError(allowed)
        return found

    return parse


def one_of(*names: str) -> Callable[[str], str]:
    """One of some names."""

    def parse(value: str) -> str:
        if value.strip().lower() not in names:
            raise RefusedError(", ".join(names[:-1]) + f" or {names[-1]}")
        return value.strip().lower()

    return parse


def url(value: str) -> str:
    """The address of a service."""
    allowed = "an http:// or https:// URL without user name, query or fragment"
    try:
        parts = urlsplit(value.strip())
        _ = parts.port
    except ValueError:
        raise RefusedError(allowed) from None
    plain = parts.scheme in {"http", "https"} and parts.hostname and not re.search(r"\s", value.strip())
    if not plain or "@" in parts.netloc or parts.query or parts.fragment:
        raise RefusedError(allowed)
    return value.strip().rstrip("/")


def host(value: str) -> str:
    """A host name or an IP address."""
    found = value.strip().strip("[]").lower()
    if not re.fullmatch(r"[0-9a-z.:_-]{1,253}", found):
        raise RefusedError("an IP address or a host name")
    return found


def hosts(value: str) -> tuple[str, ...]:
    """Values of the Host header."""
    found = tuple(part.strip().lower() for part in value.split(",") if part.strip())
    if not all(re.fullmatch(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]{1,253})(:[0-9]{1,5})?", each) for each in found):
        raise RefusedError("host or host:port, separated by commas")
    return found


def store(value: str) -> str:
    """Where the vectors are searched."""
    try:
        store_address(value.strip())
    except InputError as error:
        raise RefusedError(str(error)) from None
    return value.strip()
