"""The process that parses one file and ends: walls first, then the bytes, then one JSON object on standard output.

It is started by `index.jail` with an empty environment and without the site module; see there.
"""

import importlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from index.errors import RejectedError
from index.formats.build import Builder, Parsed
from index.formats.kinds import KINDS, ZIPPED
from index.formats.wire import packed
from index.jail_walls import Limits, build

MOST_INPUT = 50 * 1024 * 1024
_SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo", "/dev/null", "/dev/urandom",
)  # fmt: skip
_DEEPEST = 2_000
"""Python frames: enough for any real document, few enough that the C stack holds."""


def main(kind: str, extension: str, paths: Sequence[str]) -> None:
    """Parse standard input as a kind of file; `paths` are the folders that modules are imported from."""
    build(Limits(), readable(paths))
    # openpyxl would load numpy where there is one, with its threads and a third of the memory, for nothing
    sys.modules["numpy"] = None  # type: ignore[assignment]
    sys.setrecursionlimit(_DEEPEST)
    data = sys.stdin.buffer.read(MOST_INPUT)
    answer = json.dumps(outcome(data, kind, extension), ensure_ascii=False).encode("utf-8", "replace")
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    os._exit(0)  # tearing the libraries down can crash after a damaged file, and takes time


def readable(paths: Sequence[str]) -> tuple[str, ...]:
    """What a parser has to read: Python, its libraries, this package. Never the folder that holds the package."""
    package = str(Path(__file__).resolve().parent)
    return (f"{sys.base_prefix}/lib", f"{sys.base_prefix}/{sys.platlibdir}", *paths[1:], package, *_SYSTEM)


def outcome(data: bytes, kind: str, extension: str) -> dict[str, object]:
    """What became of the bytes, as values for JSON: the parsed text, or why it was rejected."""
    try:
        return {"parsed": packed(_parsed(data, kind, extension))}
    except RejectedError as rejected:
        return _rejected(rejected.reason, rejected.detail)
    except MemoryError:
        return _rejected("parse_limit", "more memory than a parse may use")
    except RecursionError:
        return _rejected("parse_limit", "nested too deeply")
    except Exception as error:  # noqa: BLE001 - the process edge: whatever a library raises, the file is the cause
        return _rejected("damaged", f"{type(error).__name__}: {error}")


def _parsed(data: bytes, kind: str, extension: str) -> Parsed:
    if kind == "zip":
        from index.formats.archive import Archive  # noqa: PLC0415 - of use for archives only

        found = Archive(data).kind()
        if found is None or found not in ZIPPED:
            raise RejectedError("unsupported", "an archive that is no document")
        kind = found
    out = Builder()
    if extension not in KINDS[kind].extensions:
        out.note(f"read as {kind}: that is what its first bytes say, not {extension or 'its name'}")
    # imported by name when a file of its kind is met: all parsers together would cost each file 0.6 s
    parse = importlib.import_module(f"index.formats.{KINDS[kind].module}").parse
    parse(data, out, kind)
    return out.parsed(kind)


def _rejected(reason: str, detail: str) -> dict[str, object]:
    return {"rejected": {"reason": reason, "detail": detail[:300]}}
