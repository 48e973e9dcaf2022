"""An index that searches and scores each thing once, so that many answers to one question cost next to nothing."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from index.engine import Index
from index.types import SearchResult


class _Scores:
    def __init__(self, inner: Any, same: Callable[[str], str]) -> None:
        self.name = inner.name
        self._same = same
        self._once = cache(lambda query, texts: inner.scores(query, list(texts)))

    def scores(self, query: str, texts: Sequence[str], /) -> Any:
        return self._once(self._same(query), tuple(texts))


class Remembering:
    """Everything of an index, with a memory; `same` tells which questions count as one."""

    def __init__(self, index: Index, same: Callable[[str], str] = str) -> None:
        self._index = index
        self._same = same
        self._found = cache(lambda query, collection, k: index.search(query, collection=collection, k=k))
        self.reranker = _Scores(index.reranker, same) if index.reranker is not None else None

    def search(self, query: str, *, collection: str, k: int = 8, **_: Any) -> SearchResult:
        return self._found(self._same(query), collection, k)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._index, name)
