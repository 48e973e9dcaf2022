"""What the index and the record warn of, on standard error in the words of a command."""

import contextlib
import logging
from collections.abc import Iterator

from qa.cli.failing import complain

_NAMES = ("index", "qa")
_SAID = ("file", "document", "paragraph", "passage", "cause")


class _Complaints(logging.Handler):
    """One line for each warning; without a handler Python would print its bare code."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say which warning it is, and what it is about."""
        about = ", ".join(str(record.__dict__[name]) for name in _SAID if name in record.__dict__)
        message = record.getMessage()
        complain(f"warning: {message}: {about}" if about else f"warning: {message}")


@contextlib.contextmanager
def warnings_told() -> Iterator[None]:
    """Print the warnings that are logged meanwhile."""
    handler = _Complaints(logging.WARNING)
    for name in _NAMES:
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name in _NAMES:
            logging.getLogger(name).removeHandler(handler)
