"""Vectors in Milvus: the only module that talks to it, and what its failures mean.

Two traps, both measured on a server 2.3.5: `upsert` into a collection with a partition key puts rows where no filter
finds them (14 of 250), so rows are deleted and inserted; and a row inserted twice is held twice.
"""

import json
import logging
import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np

from index.address import MilvusAddress
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


class GoneError(StoreUnavailableError):
    """Milvus holds no such table."""


class Milvus:
    """One database of a Milvus server. Connects when first used, and again after the server was away."""

    def __init__(self, address: MilvusAddress) -> None:
        self._address = address
        self._client: pymilvus.MilvusClient | None = None
        self._lock = threading.Lock()
        self._failed = -math.inf

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
        self._call(partial(_create, table=table, dim=dim))
        return True

    def drop(self, table: str) -> None:
        """Take a table away, if it is there. Raises StoreUnavailableError."""
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
        seen = {"consistency_level": "Customized", "guarantee_timestamp": since}
        found = self._loaded(
            table,
            lambda client: client.search(
                table,
                [vector],
                limit=min(k, MOST_FOUND),
                filter=condition,
                search_params={"params": {"ef": min(max(ef, k), _MOST_EF)}},
                timeout=_READ_S,
                **(seen if since else {"consistency_level": "Strong"}),
            ),
        )
        return [int(hit["id"]) for hit in found[0]]

    def rows(
        self, table: str, condition: str, last: int, *, vectors: bool
    ) -> Iterator[tuple[Ids, Vectors | None]]:
        """The rows up to an id that meet a condition, in blocks: ids, with vectors if wanted.

        By ranges of ids: the client's own iterator misses what was just written, as a server 2.3 knows no time for it.

        Raises:
            StoreUnavailableError: Milvus does not answer.
        """
        fields = ["id", "vector"] if vectors else ["id"]
        for start in range(0, last, _AT_ONCE):
            block = f"{condition} and id > {start} and id <= {min(start + _AT_ONCE, last)}"
            page = self._loaded(table, partial(_query, table=table, condition=block, fields=fields))
            ids = np.array([row["id"] for row in page], np.int64)
            found = np.array([row["vector"] for row in page], np.float32) if vectors and page else None
            yield ids, found

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


def by_day(date_from: str | None, date_to: str | None) -> str:
    """The condition for the days of a filter, to be added to another; documents without a day meet none."""
    bounds = [f"date >= {json.dumps(date_from)}"] if date_from is not None else []
    bounds += [f'date != "" and date <= {json.dumps(date_to)}'] if date_to is not None else []
    return "".join(f" and {bound}" for bound in bounds)


def _create(client: Any, *, table: str, dim: int) -> None:
    schema = pymilvus.MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", pymilvus.DataType.INT64, is_primary=True)
    schema.add_field("collection", pymilvus.DataType.INT64, is_partition_key=True)
    schema.add_field("document", pymilvus.DataType.INT64)
    schema.add_field("paragraph", pymilvus.DataType.INT64)
    schema.add_field("date", pymilvus.DataType.VARCHAR, max_length=32)
    schema.add_field("vector", pymilvus.DataType.FLOAT_VECTOR, dim=dim)
    client.create_collection(table, schema=schema, num_partitions=_PARTITIONS, timeout=_WRITE_S)
    _load(client, table=table)


def _load(client: Any, *, table: str) -> None:
    """Index a table, which changes nothing where it is indexed already, and load it."""
    index = pymilvus.MilvusClient.prepare_index_params()
    graph = {"M": _M, "efConstruction": _EF_BUILD}
    index.add_index("vector", index_type="HNSW", metric_type="IP", params=graph)
    client.create_index(table, index, timeout=_WRITE_S)
    client.load_collection(table, timeout=_WRITE_S)


def _insert(client: Any, *, table: str, rows: Sequence[Row]) -> None:
    data = [{name: getattr(row, name) for name in _FIELDS} for row in rows]
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
