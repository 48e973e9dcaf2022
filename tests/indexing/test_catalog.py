import os
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import apsw
import pytest

from index.catalog import CATALOG_NAME, Catalog, create_catalog, migrate, open_catalog
from index.connection import connect, fetch, pragma, require_sqlite
from index.errors import CorruptError, MismatchError, StorageError
from index.schema import SCHEMA_VERSION


@pytest.fixture
def path(tmp_path: Path) -> Path:
    create_catalog(tmp_path / CATALOG_NAME)
    return tmp_path / CATALOG_NAME


@pytest.fixture
def opened(path: Path) -> Iterator[Callable[..., Catalog]]:
    catalogs: list[Catalog] = []

    def open_it(*, writable: bool = True) -> Catalog:
        catalogs.append(open_catalog(path, writable=writable))
        return catalogs[-1]

    yield open_it
    for catalog in catalogs:
        catalog.close()


def add(catalog: Catalog, key: str) -> None:
    with catalog.writing() as db:
        db.execute("INSERT INTO meta VALUES (?, 'x')", (key,))


def keys(catalog: Catalog) -> set[str]:
    with catalog.reading() as db:
        return {row[0] for row in fetch(db, "SELECT key FROM meta WHERE value = 'x'")}


def test_a_new_catalog_is_whole_and_for_its_owner_alone(path: Path) -> None:
    assert [entry.name for entry in path.parent.iterdir()] == [CATALOG_NAME]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_log_beside_it_is_for_its_owner_alone(opened: Callable[..., Catalog], path: Path) -> None:
    add(opened(), "a")
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


def test_every_safety_setting_is_on(opened: Callable[..., Catalog]) -> None:
    with opened().writing() as db:
        on = {
            name: db.pragma(name)
            for name in ("foreign_keys", "cell_size_check", "secure_delete", "trusted_schema")
        }
        assert on == {"foreign_keys": 1, "cell_size_check": 1, "secure_delete": 1, "trusted_schema": 0}
        assert (db.pragma("synchronous"), db.pragma("journal_mode")) == (2, "wal")
        assert db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, -1) == 1


@pytest.mark.parametrize(("version", "good"), [("3.51.2", False), ("3.51.3", True), ("3.53.0", True)])
def test_an_sqlite_with_the_bug_that_loses_writes_is_refused(
    monkeypatch: pytest.MonkeyPatch, version: str, good: bool
) -> None:
    require_sqlite()  # that of this environment
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: version)
    with nullcontext() if good else pytest.raises(StorageError, match="can lose writes"):
        require_sqlite()


def test_a_block_that_fails_leaves_no_row(opened: Callable[..., Catalog]) -> None:
    catalog = opened()
    with pytest.raises(StorageError), catalog.writing() as db:
        db.execute("INSERT INTO meta VALUES ('a', 'x'), ('a', 'x')")
    assert keys(catalog) == set()
    add(catalog, "b")
    assert keys(catalog) == {"b"}


def test_what_was_committed_is_there_after_opening_anew(opened: Callable[..., Catalog]) -> None:
    first = opened()
    add(first, "a")
    first.close()
    assert keys(opened(writable=False)) == {"a"}


def test_a_reader_beside_the_writer_sees_new_commits(opened: Callable[..., Catalog]) -> None:
    writer, reader = opened(), opened(writable=False)
    add(writer, "a")
    assert keys(reader) == {"a"}


def test_a_reader_holds_one_view_for_a_whole_block(opened: Callable[..., Catalog]) -> None:
    writer, reader = opened(), opened(writable=False)
    with reader.reading() as db:
        fetch(db, "SELECT * FROM meta")
        add(writer, "a")
        assert fetch(db, "SELECT key FROM meta WHERE value = 'x'") == []
    assert keys(reader) == {"a"}


def test_a_reader_cannot_write(opened: Callable[..., Catalog]) -> None:
    with pytest.raises(StorageError, match="reading only"):
        add(opened(writable=False), "a")


def test_many_threads_read_and_write_at_once(opened: Callable[..., Catalog]) -> None:
    catalog = opened()

    def work(name: int) -> None:
        for step in range(20):
            add(catalog, f"{name}-{step}")
            keys(catalog)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    assert len(keys(catalog)) == 120


def test_a_closed_catalog_says_so(opened: Callable[..., Catalog]) -> None:
    catalog = opened()
    catalog.close()
    catalog.close()
    with pytest.raises(StorageError, match="closed"):
        keys(catalog)


def test_a_catalog_removed_while_open_is_an_error_for_reader_and_writer(
    opened: Callable[..., Catalog], path: Path
) -> None:
    catalog = opened()
    path.unlink()
    with pytest.raises(StorageError, match="removed or replaced"):
        keys(catalog)
    with pytest.raises(StorageError, match="removed or replaced"):
        add(catalog, "a")


def test_an_empty_file_is_damage_and_not_a_new_catalog(path: Path) -> None:
    path.write_bytes(b"")
    with pytest.raises(CorruptError, match="restore a backup"):
        open_catalog(path, writable=True)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize("size", [1, 50, 100, 512, 4095, 4096, 8192])
def test_a_truncated_catalog_is_refused_and_left_alone(path: Path, size: int, writable: bool) -> None:
    os.truncate(path, size)
    with pytest.raises(CorruptError):
        open_catalog(path, writable=writable)
    assert path.stat().st_size == size


@pytest.mark.parametrize("writable", [True, False])
def test_a_garbled_header_is_refused_and_left_alone(path: Path, writable: bool) -> None:
    damaged = b"garbage!" * 8 + path.read_bytes()[64:]
    path.write_bytes(damaged)
    with pytest.raises(CorruptError):
        open_catalog(path, writable=writable)
    assert path.read_bytes() == damaged


def test_another_program_s_database_is_refused(tmp_path: Path) -> None:
    db = apsw.Connection(str(tmp_path / "other.db"))
    db.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    db.close()
    with pytest.raises(CorruptError, match="not a catalog"):
        open_catalog(tmp_path / "other.db", writable=True)


def set_version(path: Path, version: int) -> None:
    db = connect(path, writable=True)
    db.execute(f"PRAGMA user_version = {version:d}")
    db.close()


def test_a_newer_catalog_is_refused(path: Path) -> None:
    set_version(path, SCHEMA_VERSION + 1)
    with pytest.raises(MismatchError, match="newer version"):
        open_catalog(path, writable=True)


def test_an_older_catalog_asks_a_reader_to_wait(path: Path) -> None:
    set_version(path, SCHEMA_VERSION - 1)
    with pytest.raises(MismatchError, match="older schema"):
        open_catalog(path, writable=False)


def add_column(db: apsw.Connection) -> None:
    db.execute("ALTER TABLE meta ADD COLUMN more TEXT")


def test_a_migration_runs_each_step_once_and_leaves_no_copy(path: Path) -> None:
    db = connect(path, writable=True)
    migrate(db, path, {SCHEMA_VERSION: add_column, SCHEMA_VERSION + 1: lambda db: None}, SCHEMA_VERSION + 2)
    assert pragma(db, "user_version") == SCHEMA_VERSION + 2
    assert {row[0] for row in fetch(db, "SELECT more FROM meta")} == {None}
    db.close()
    assert list(path.parent.glob("*pre-migrate*")) == []


def test_a_migration_that_fails_changes_nothing_and_keeps_the_copy(path: Path) -> None:
    db = connect(path, writable=True)

    def fail(db: apsw.Connection) -> None:
        add_column(db)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        migrate(db, path, {SCHEMA_VERSION: fail}, SCHEMA_VERSION + 1)
    assert pragma(db, "user_version") == SCHEMA_VERSION
    assert "more" not in {row[1] for row in fetch(db, "PRAGMA table_info(meta)")}
    db.close()
    open_catalog(path.with_name(f"pre-migrate-{SCHEMA_VERSION}.db"), writable=False).close()


def test_it_opens_on_a_medium_that_cannot_be_written(
    path: Path, read_only_mount: Callable[[Path], Path]
) -> None:
    place = read_only_mount(path.parent)
    catalog = open_catalog(place / CATALOG_NAME, writable=False)
    assert keys(catalog) == set()
    catalog.close()
