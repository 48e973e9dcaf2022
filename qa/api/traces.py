"""Where the time of a request went, for a collector of traces: nothing is recorded unless one is named.

A span holds times, counts and words of ours; never text, a name, a path or a key.
"""

from collections.abc import Mapping

from index.types import SearchResult
from qa.types import Answer, Verified

Attributes = Mapping[str, str | int | tuple[str, ...]]


class Traces:
    """Records nothing; `qa.api.otlp` has the one that does. Times are nanoseconds since 1970."""

    def begin(self, traceparent: str) -> object:
        """A request begins; what `here` gives until `end` is part of it."""
        del traceparent
        return None

    def end(self, request: object, attributes: Attributes) -> None:
        """It is over."""

    def here(self) -> object:
        """The request that is being answered here, for work that goes on elsewhere."""
        return None

    def answered(self, where: object, began: int, answer: Answer) -> None:
        """A question was answered, or found to have no answer."""

    def searched(self, began: int, result: SearchResult) -> None:
        """A search is done."""

    def verified(self, began: int, verified: Verified) -> None:
        """Somebody's text is checked."""

    def close(self) -> None:
        """Send what waits, as far as that is quick."""
