"""What several commands share: arguments, the way to a service or a server, and where text goes."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from index.errors import LockedError
from index.types import Filters
from qa.cli.failing import LOCKED, NO_INPUT, USAGE, CommandError
from qa.render import Style, json_text

if TYPE_CHECKING:
    from qa.service import Service
    from qa.settings import Settings
    from qa.source import Source


NARROWEST = 30
_IF_SERVED = "if that is a server, send it PUT /v1/documents/PATH or POST /v1/index instead"


def offer_json(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print the result as JSON")


def offer_data_dir(parser: argparse.ArgumentParser) -> None:
    """`--data-dir`."""
    parser.add_argument("--data-dir", metavar="DIR", help="folder of the index (else NUTGRAF_DATA_DIR)")


def offer_collection(parser: argparse.ArgumentParser) -> None:
    """`--collection`."""
    parser.add_argument(
        "--collection", default="default", metavar="NAME", help="which documents (default: %(default)s)"
    )


def offer_source(parser: argparse.ArgumentParser) -> None:
    """`--url` and what an own index needs."""
    parser.add_argument("--url", metavar="URL", help="ask a running server instead of opening the index")
    offer_data_dir(parser)
    offer_collection(parser)


def offer_search(parser: argparse.ArgumentParser) -> None:
    """How many hits, and from which documents."""
    parser.add_argument(
        "-k", "--top-k", type=_count, default=8, metavar="N", help="paragraphs to find (default: 8)"
    )
    parser.add_argument(
        "--path", metavar="GLOB", help="only documents whose path matches, as in 'news/*.txt'"
    )
    parser.add_argument("--date-from", type=_day, metavar="DAY", help="only documents of this day or later")
    parser.add_argument("--date-to", type=_day, metavar="DAY", help="only documents of this day or earlier")


def filters_of(args: argparse.Namespace) -> Filters:
    """The filters that `offer_search` took."""
    return Filters(path=args.path, date_from=args.date_from, date_to=args.date_to)


def _count(word: str) -> int:
    if not (word.isascii() and word.isdigit() and 1 <= int(word[:4]) <= 50 and len(word) <= 2):
        raise argparse.ArgumentTypeError("a number from 1 to 50")
    return int(word)


def _day(word: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError("a day such as 2024-04-16") from None


def settings_of(args: argparse.Namespace, env: Mapping[str, str]) -> "Settings":
    """The settings of the environment, overridden by what the command was given."""
    from qa.settings import Settings

    given = {
        "NUTGRAF_DATA_DIR": getattr(args, "data_dir", None),
        "NUTGRAF_HOST": getattr(args, "host", None),
        "NUTGRAF_PORT": getattr(args, "port", None),
        "NUTGRAF_CORPUS": getattr(args, "corpus", None),
    }
    return Settings.from_env({**env, **{name: value for name, value in given.items() if value is not None}})


def require_index(args: argparse.Namespace, env: Mapping[str, str]) -> None:
    """Refuse to go on where there is no data folder, which opening for writing would make. Raises CommandError."""
    folder = settings_of(args, env).data_dir
    if not folder.is_dir():
        raise CommandError(f"{folder}: there is no index; make one with: nutgraf index PATH", NO_INPUT)


@contextlib.contextmanager
def opened(
    args: argparse.Namespace, env: Mapping[str, str], *, writable: bool = False
) -> "Iterator[Service]":
    """The service over the index itself."""
    settings = settings_of(args, env)
    if not writable:
        require_index(args, env)
    from qa.cli.warned import warnings_told
    from qa.service import Service

    with warnings_told():
        try:
            service = Service.open(settings, writable=writable)
        except LockedError as error:
            raise CommandError(f"{error}; {_IF_SERVED}", LOCKED) from None
        try:
            yield service
        finally:
            service.close()


@contextlib.contextmanager
def source_of(args: argparse.Namespace, env: Mapping[str, str]) -> "Iterator[Source]":
    """A running server where `--url` names one, else the index itself."""
    if args.url is None:
        with opened(args, env) as service:
            yield service
        return
    if not args.url.lower().startswith(("http://", "https://")):
        raise CommandError(f"{args.url}: --url takes an http:// or https:// address", USAGE)
    from qa.client import Client

    with Client(args.url, api_key=settings_of(args, env).api_key) as client:
        yield client


def text_of(words: list[str]) -> str:
    """The words of the command line as one text; `-` alone stands for standard input."""
    if words != ["-"]:
        return " ".join(words)
    data = sys.stdin.buffer.read() if hasattr(sys.stdin, "buffer") else sys.stdin.read().encode()
    return data.decode("utf-8-sig", errors="replace")


def is_terminal(stream: object) -> bool:
    """Whether a stream is a terminal that takes ANSI codes."""
    isatty = getattr(stream, "isatty", None)
    return bool(isatty and isatty()) and os.environ.get("TERM") != "dumb"


def style_of(stream: object) -> Style:
    """Colours on a terminal, unless NO_COLOR says otherwise."""
    return Style(ansi=is_terminal(stream) and not os.environ.get("NO_COLOR"))


def put(text: str) -> None:
    """One result on standard output; what its encoding does not have is written as an escape."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def width() -> int:
    """Columns of the terminal."""
    import shutil

    return max(NARROWEST, shutil.get_terminal_size().columns)


def show(text: str) -> None:
    """One result for people; on a terminal its lines are broken between words."""
    if is_terminal(sys.stdout):
        from qa.wrap import wrapped

        text = wrapped(text, width())
    put(text)


def put_json(payload: Mapping[str, object]) -> None:
    """One JSON object on one line of standard output."""
    put(json_text(payload))
