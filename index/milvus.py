"""Vectors and words in Milvus: the only module that talks to it, and what its failures mean.

Three traps, all measured on a server 2.3.5: `upsert` into a collection with a partition key puts rows where no filter
finds them (14 of 250), so rows are deleted and inserted; a row inserted twice is held twice; and a table with a BM25
function is made without an error, and without the function, so the server's version decides.
"""

import json
import logging
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from index.address import MilvusAddress
from index.bm25 import K1, B
from index.errors import InputError, StoreUnavailableError
from index.segment import Ids
from index.types import Vectors

os.environ.setdefault("PYTHON_DOTENV_DISABLED", "1")  # pymilvus reads a .env file into the environment
try:
    import pymilvus
    from pymilvus.client.ts_utils import get_collection_ts
except ImportError as error:
    raise InputError("an index in Milvus needs its client: pip install 'nutgraf[milvus]'") from error

logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # it logs with a stack what it raises as well

MOST_FOUND = 16_384
"""Milvus gives no more for one search."""
_MOST_EF = 32_768
_M, _EF_BUILD = 16, 200
_PARTITIONS = 16
_AT_ONCE = 2_000
"""Rows of one call: 3 MB at 384 dimensions; Milvus takes 64 MB."""

_FIELDS = ("id", "collection", "document", "paragraph", "date", "vector")
_WORDS, _TERMS = "words", "terms"
"""The fields of a table that ranks words: the words themselves, and what Milvus makes of them."""
_WORDS_BYTES = 65_535
_ANALYZER = {"tokenizer": "standard"}
"""Splits at what is neither letter nor digit and does nothing else: the words are those of the catalog already."""
_RANKS_WORDS_FROM = (2, 5)

_CHANNEL = {"grpc.use_local_subchannel_pool": 1, "grpc.max_reconnect_backoff_ms": 1_000}
"""A connection of one's own: one that is shared waits for up to two minutes between two tries."""

_CONNECT_S = 3.0
_PAUSE_S = 1.0
_READ_S = 5.0
_WRITE_S = 60.0
_NO_CONNECTION = 2  # besides the states of gRPC, which are no numbers
_NOT_FOUND = (100, 4)  # of 2.3 and later, of before
_NOT_LOADED = (101, 103, 106, 700)  # the last: not indexed, as its making was cut off

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Row:
    """A vector as Milvus holds it. `document` is the catalog's key: it stays when a document moves to another path."""

    id: int
    collection: int
    document: int
    paragraph: int
    date: str
    vector: Vectors
    words: str | None = None
    """Where the table ranks words."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some rows as Milvus holds them, ids ascending; vectors and words where they were asked for and are there."""

    ids: Ids
    vectors: Vectors | None
    words: list[str] | None


class GoneError(StoreUnavailableError):
    """Milvus holds no such table."""


class Milvus:
    """One database of a Milvus server. Connects when first used, and again after the server was away."""

    def __init__(self, address: MilvusAddress) -> None:
        self._address = address
        self._client: pymilvus.MilvusClient | None = None
        self._lock = threading.Lock()
        self._failed = -math.inf
        self._ranks: dict[str, bool] = {}

    def close(self) -> None:
        """Let go of the connection; the next call makes another."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):  # nothing is lost by a connection that does not close
                client.close()

    def version(self) -> str:
        """What the server says it is. Raises StoreUnavailableError."""
        return str(self._call(lambda client: client.get_server_version(timeout=_READ_S)))

    def ensure(self, table: str, dim: int) -> bool:
        """Make a table unless it is there; says whether it was made. Raises StoreUnavailableError."""
        if self._call(lambda client: client.has_collection(table, timeout=_READ_S)):
            return False
        words = ranks_words(self.version())
        self._call(partial(_create, table=table, dim=dim, words=words))
        self._ranks[table] = words
        return True

    def ranks_words(self, table: str) -> bool:
        """Whether a table holds words and ranks them; asked once for each table. Raises StoreUnavailableError."""
        if table not in self._ranks:
            self._ranks[table] = self._call(partial(_has_words, table=table))
        return self._ranks[table]

    def drop(self, table: str) -> None:
        """Take a table away, if it is there. Raises StoreUnavailableError."""
        self._ranks.pop(table, None)
        self._call(lambda client: client.drop_collection(table, timeout=_WRITE_S))

    def insert(self, table: str, rows: Sequence[Row]) -> int:
        """Put rows in that are not there yet; gives the server's time of it, 0 where it tells none."""
        for start in range(0, len(rows), _AT_ONCE):
            self._loaded(table, partial(_insert, table=table, rows=rows[start : start + _AT_ONCE]))
        return self._call(lambda client: _time_of(client, table, self._address.database))

    def delete(self, table: str, ids: Sequence[int]) -> None:
        """Take rows out by id. Raises StoreUnavailableError."""
        for start in range(0, len(ids), _AT_ONCE):
            part = [int(id_) for id_ in ids[start : start + _AT_ONCE]]
            self.delete_where(table, f"id in {part}")

    def delete_where(self, table: str, condition: str) -> None:
        """Take out the rows that meet a condition. Raises StoreUnavailableError."""
        self._loaded(table, lambda client: client.delete(table, filter=condition, timeout=_WRITE_S))

    def count(self, table: str, condition: str) -> int:
        """How many rows meet a condition, every acknowledged write counted. Raises StoreUnavailableError."""
        found = self._loaded(table, partial(_query, table=table, condition=condition, fields=["count(*)"]))
        return int(found[0]["count(*)"])

    def search(
        self, table: str, vector: Vectors, *, k: int, ef: int, condition: str, since: int
    ) -> list[int]:
        """The ids of about the k nearest rows that meet a condition, of a state no older than a server's time."""
        params = {"ef": min(max(ef, k), _MOST_EF)}
        return self._best(table, vector, "vector", params, k=k, condition=condition, since=since)

    def search_words(self, table: str, words: str, *, k: int, condition: str, since: int) -> list[int]:
        """The ids of about the k rows best by BM25 over any of the words, in a table that ranks words; as `search`."""
        return self._best(table, words, _TERMS, {}, k=k, condition=condition, since=since)

    def _best(
        self,
        table: str,
        asked: Vectors | str,
        field: str,
        params: dict[str, int],
        *,
        k: int,
        condition: str,
        since: int,
    ) -> list[int]:
        seen = {"consistency_level": "Customized", "guarantee_timestamp": since}
        found = self._loaded(
            table,
            lambda client: client.search(
                table,
                [asked],
                anns_field=field,
                limit=min(k, MOST_FOUND),
                filter=condition,
                search_params={"params": params},
                timeout=_READ_S,
                **(seen if since else {"consistency_level": "Strong"}),
            ),
        )
        return [int(hit["id"]) for hit in found[0]]

    def rows(self, table: str, condition: str, last: int, *, whole: bool) -> Iterator[Block]:
        """The rows up to an id that meet a condition, in blocks: ids, and all that is searched by if `whole`.

        By ranges of ids: the client's own iterator misses what was just written, as a server 2.3 knows no time for it.

        Raises:
            StoreUnavailableError: Milvus does not answer.
        """
        fields = ["id", "vector"] if whole else ["id"]
        fields += [_WORDS] if whole and self.ranks_words(table) else []
        for start in range(0, last, _AT_ONCE):
            block = f"{condition} and id > {start} and id <= {min(start + _AT_ONCE, last)}"
            page = self._loaded(table, partial(_query, table=table, condition=block, fields=fields))
            page.sort(key=lambda row: int(row["id"]))
            yield Block(
                ids=np.array([row["id"] for row in page], np.int64),
                vectors=np.array([row["vector"] for row in page], np.float32) if whole and page else None,
                words=[str(row[_WORDS]) for row in page] if _WORDS in fields else None,
            )

    def _loaded(self, table: str, ask: Callable[[Any], T]) -> T:
        """What a call gives; a server that was started again is told once to load the table."""
        try:
            return self._call(ask)
        except StoreUnavailableError as error:
            if not _is_unloaded(error.__cause__):
                raise
        self._call(partial(_load, table=table))
        return self._call(ask)

    def _call(self, ask: Callable[[Any], T]) -> T:
        """What a call gives. Raises StoreUnavailableError for whatever the client raises."""
        try:
            return ask(self._connected())
        except StoreUnavailableError:
            raise
        except pymilvus.MilvusException as error:
            if error.code == _NO_CONNECTION or not isinstance(error.code, int):
                self.close()
            kind = GoneError if error.code in _NOT_FOUND else StoreUnavailableError
            raise kind(f"Milvus: {_words(error)}") from error
        except Exception as error:
            self.close()  # of gRPC and of what it calls: none may get past this module
            raise StoreUnavailableError(f"Milvus: {type(error).__name__}: {error}"[:300]) from error

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                if time.monotonic() - self._failed < _PAUSE_S:  # whoever waited here need not wait once more
                    raise StoreUnavailableError("Milvus: no connection")
                try:
                    self._client = pymilvus.MilvusClient(
                        self._address.uri,
                        token=self._address.token,
                        db_name=self._address.database,
                        timeout=_CONNECT_S,
                        dedicated=True,
                        grpc_options=_CHANNEL,
                    )
                except BaseException:
                    self._failed = time.monotonic()
                    raise
            return self._client


def ranks_words(version: str) -> bool:
    """Whether a server of this version ranks words by BM25 as it should.

    Milvus Lite calls itself `milvus_lite-3.2.2`. It takes the function too, but weighs a word by the part of the table
    it stands in: what was just added came at the 352nd place instead of the first (docs/decisions/0019-milvus.md).
    """
    found = re.match(r"v?(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= _RANKS_WORDS_FROM


def by_day(date_from: str | None, date_to: str | None) -> str:
    """The condition for the days of a filter, to be added to another; documents without a day meet none."""
    bounds = [f"date >= {json.dumps(date_from)}"] if date_from is not None else []
    bounds += [f'date != "" and date <= {json.dumps(date_to)}'] if date_to is not None else []
    return "".join(f" and {bound}" for bound in bounds)


def _create(client: Any, *, table: str, dim: int, words: bool) -> None:
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    schema.add_field("collection", pymilvus.DataType.INT64, is_partition_key=True)
    schema.add_field("document", pymilvus.DataType.INT64)
    schema.add_field("paragraph", pymilvus.DataType.INT64)
    schema.add_field("date", pymilvus.DataType.VARCHAR, max_length=32)
    schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=dim)
    if words:
        schema.add_field(
            _WORDS,
            pymilvus.DataType.VARCHAR,
            max_length=_WORDS_BYTES,
            enable_analyzer=True,
            analyzer_params=_ANALYZER,
        )
        schema.add_field(_TERMS, pymilvus.DataType.SPARSE_FLOAT_VECTOR)
        schema.add_function(
            pymilvus.Function(
                name="bm25",
                function_type=pymilvus.FunctionType.BM25,
                input_field_names=[_WORDS],
                output_field_names=[_TERMS],
            )
        )
    client.create_collection(table, schema=schema, num_partitions=_PARTITIONS, timeout=_WRITE_S)
    _load(client, table=table)


def _load(client: Any, *, table: str) -> None:
    """Index a table, which changes nothing where it is indexed already, and load it."""
    index = pymilvus.MilvusClient.prepare_index_params()
    graph = {"M": _M, "efConstruction": _EF_BUILD}
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
    if _has_words(client, table=table):
        weights = {"bm25_k1": K1, "bm25_b": B}
        index.add_index(_TERMS, index_type="SPARSE_INVERTED_INDEX", metric_type="BM25", params=weights)
    client.create_index(table, index, timeout=_WRITE_S)
    client.load_collection(table, timeout=_WRITE_S)


def _has_words(client: Any, *, table: str) -> bool:
    described = client.describe_collection(table, timeout=_READ_S)
    return any(field["name"] == _WORDS for field in described["fields"])


def _insert(client: Any, *, table: str, rows: Sequence[Row]) -> None:
    data = [{name: getattr(row, name) for name in _FIELDS} for row in rows]
    for values, row in zip(data, rows, strict=True):
        if row.words is not None:
            values[_WORDS] = row.words
    client.insert(table, data, timeout=_WRITE_S)


def _query(client: Any, *, table: str, condition: str, fields: Sequence[str]) -> list[Any]:
    found = client.query(
        table, filter=condition, output_fields=list(fields), consistency_level="Strong", timeout=_WRITE_S
    )
    return list(found)


def _time_of(client: Any, table: str, database: str) -> int:
    """The server's time of the last write through this connection: whoever asks for no older state sees it."""
    handler = client._get_connection()  # noqa: SLF001 - the client keeps this time and has no method that tells it
    return int(get_collection_ts(table, handler.server_address, database or "default") or 0)


def _is_unloaded(error: BaseException | None) -> bool:
    if not isinstance(error, pymilvus.MilvusException):
        return False
    return error.code in _NOT_LOADED or "not loaded" in str(error.message)


def _words(error: Any) -> str:
    return " ".join(str(error.message).split())[:300]
