import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plain_parts import HashEmbedder, built_by, prepare

from index.errors import InputError, MissingFolderError, ModelError, RejectedError
from index.store import LocalStore
from index.sync import put, sync
from index.types import BuiltBy, Document, Filters, Passage, Remove, SyncReport

ALL = Filters()
FAKES = Path(__file__).resolve().parents[1] / "fakes"

SYNC = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from plain_parts import HashEmbedder, built_by, prepare
from index.store import LocalStore
from index.sync import sync
embedder = HashEmbedder()
with LocalStore.open(Path(sys.argv[2]), built_by(embedder), writable=True) as store:
    print("open", flush=True)
    print(sync(store, embedder, prepare, Path(sys.argv[3])).added)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("Alpha\nThe first letter\nand more")
    (folder / "sub" / "b.txt").write_text("Beta\nThe second letter")
    return folder


@pytest.fixture
def run(store: LocalStore, embedder: HashEmbedder, root: Path) -> Callable[[], SyncReport]:
    return lambda: sync(store, embedder, prepare, root)


def counts(report: SyncReport) -> dict[str, int]:
    names = ("added", "changed", "moved", "removed", "unchanged")
    return {name: value for name in names if (value := getattr(report, name))}


def reasons(report: SyncReport) -> dict[str, str]:
    return {skipped.path: skipped.reason for skipped in report.skipped}


def listed(store: LocalStore) -> list[str]:
    return [info.path for info in store.documents("default")]


def test_the_first_run_adds_every_document(run: Callable[[], SyncReport], store: LocalStore) -> None:
    report = run()
    assert (counts(report), report.passages) == ({"added": 2}, 5)
    assert listed(store) == ["a.txt", "sub/b.txt"]


def test_the_second_run_does_nothing(
    run: Callable[[], SyncReport], store: LocalStore, embedder: HashEmbedder
) -> None:
    run()
    sequence, embedded = store.sequence(), len(embedder.embedded)
    report = run()
    assert (counts(report), report.passages) == ({"unchanged": 2}, 0)
    assert (store.sequence(), len(embedder.embedded)) == (sequence, embedded)


def test_an_edit_embeds_only_the_new_text(
    run: Callable[[], SyncReport], root: Path, embedder: HashEmbedder
) -> None:
    run()
    embedder.embedded.clear()
    (root / "a.txt").write_text("Alpha\nThe first letter\nand something else")
    assert counts(run()) == {"changed": 1, "unchanged": 1}
    assert embedder.embedded == ["Alpha\nand something else"]


def test_an_edit_that_keeps_size_and_time_is_seen(
    run: Callable[[], SyncReport], root: Path, store: LocalStore
) -> None:
    run()
    before = (root / "a.txt").stat()
    (root / "a.txt").write_text("Alpha\nThe wurst letter\nand more")
    os.utime(root / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(run()) == {"changed": 1, "unchanged": 1}
    assert len(store.lexical("default", ["wurst"], 9, ALL)) == 1


def test_a_touch_is_no_change(run: Callable[[], SyncReport], root: Path) -> None:
    run()
    os.utime(root / "a.txt", (1, 1))
    assert counts(run()) == {"unchanged": 2}


def test_a_removed_file_is_gone(run: Callable[[], SyncReport], root: Path, store: LocalStore) -> None:
    run()
    (root / "a.txt").unlink()
    assert counts(run()) == {"removed": 1, "unchanged": 1}
    assert store.lexical("default", ["alpha"], 9, ALL) == []


def test_a_renamed_file_is_moved_without_embedding(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, embedder: HashEmbedder
) -> None:
    run()
    ids = store.lexical("default", ["alpha"], 9, ALL)
    embedder.embedded.clear()
    (root / "a.txt").rename(root / "sub" / "z.txt")
    assert counts(run()) == {"moved": 1, "unchanged": 1}
    assert (listed(store), embedder.embedded) == (["sub/b.txt", "sub/z.txt"], [])
    assert store.lexical("default", ["alpha"], 9, ALL) == ids


def test_a_document_removed_while_its_file_is_renamed_is_added(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, embedder: HashEmbedder
) -> None:
    run()
    (root / "a.txt").rename(root / "z.txt")

    def remove(done: int, total: int, path: str) -> None:
        if path == "z.txt":
            store.apply("default", [Remove("a.txt")])

    assert counts(sync(store, embedder, prepare, root, progress=remove)) == {"added": 1, "unchanged": 1}
    assert listed(store) == ["sub/b.txt", "z.txt"]


def test_two_files_may_trade_places(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, embedder: HashEmbedder
) -> None:
    run()
    embedder.embedded.clear()
    (root / "a.txt").rename(root / "x")
    (root / "sub" / "b.txt").rename(root / "a.txt")
    (root / "x").rename(root / "sub" / "b.txt")
    assert counts(run()) == {"changed": 2}
    assert [info.title for info in store.documents("default")] == ["Beta", "Alpha"]
    assert embedder.embedded == []


def test_a_chain_of_renames_ends_with_what_the_folder_holds(
    run: Callable[[], SyncReport], root: Path, store: LocalStore
) -> None:
    run()
    (root / "sub" / "b.txt").rename(root / "sub" / "c.txt")
    (root / "a.txt").rename(root / "sub" / "b.txt")
    run()
    assert [(info.path, info.title) for info in store.documents("default")] == [
        ("sub/b.txt", "Alpha"),
        ("sub/c.txt", "Beta"),
    ]


def test_a_copy_is_a_document_of_its_own_and_is_not_embedded_again(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, embedder: HashEmbedder
) -> None:
    run()
    embedder.embedded.clear()
    (root / "copy.txt").write_bytes((root / "a.txt").read_bytes())
    assert counts(run()) == {"added": 1, "unchanged": 2}
    assert embedder.embedded == []
    assert len(store.lexical("default", ["alpha"], 9, ALL)) == 6


def test_a_moved_document_whose_title_comes_from_its_name_gets_the_new_one(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    def named(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
        document, passages = prepare(data, path)
        return replace(document, title=path), passages

    sync(store, embedder, named, root)
    (root / "a.txt").rename(root / "z.txt")
    assert counts(sync(store, embedder, named, root)) == {"moved": 1, "unchanged": 1}
    assert [info.title for info in store.documents("default")] == ["sub/b.txt", "z.txt"]


def test_what_cannot_be_indexed_is_named_with_its_reason(run: Callable[[], SyncReport], root: Path) -> None:
    (root / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (root / "image.png").write_bytes(b"png")
    (root / "empty.txt").write_bytes(b"")
    (root / "link.txt").symlink_to(root / "a.txt")
    with (root / "huge.txt").open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    report = run()
    assert counts(report) == {"added": 2}
    assert reasons(report) == {
        "binary.txt": "not_text",
        "empty.txt": "empty",
        "huge.txt": "too_large",
        "image.png": "unsupported",
        "link.txt": "symlink",
    }


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b""])
def test_a_file_that_is_no_document_any_more_takes_its_old_version_along(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, content: bytes
) -> None:
    run()
    (root / "a.txt").write_bytes(content)
    report = run()
    assert counts(report) == {"removed": 1, "unchanged": 1}
    assert list(reasons(report)) == ["a.txt"]
    assert listed(store) == ["sub/b.txt"]


def test_a_file_that_became_a_link_takes_its_old_version_along(
    run: Callable[[], SyncReport], root: Path, store: LocalStore
) -> None:
    run()
    (root / "a.txt").unlink()
    (root / "a.txt").symlink_to("/etc/passwd")
    assert reasons(run()) == {"a.txt": "outside_root"}
    assert listed(store) == ["sub/b.txt"]


def test_what_cannot_be_read_now_is_kept_as_it_was(
    run: Callable[[], SyncReport], root: Path, store: LocalStore, unreadable: Callable[[Path], None]
) -> None:
    run()
    unreadable(root / "sub")
    report = run()
    assert (counts(report), reasons(report)) == ({"unchanged": 1}, {"sub": "permission"})
    assert listed(store) == ["a.txt", "sub/b.txt"]


def test_a_missing_folder_is_named_and_nothing_is_removed(
    run: Callable[[], SyncReport], root: Path, store: LocalStore
) -> None:
    run()
    root.rename(root.with_name("elsewhere"))
    with pytest.raises(MissingFolderError, match="corpus: no such folder"):
        run()
    assert len(listed(store)) == 2


def test_a_folder_without_a_document_is_an_error_and_nothing_is_removed(
    run: Callable[[], SyncReport], root: Path, store: LocalStore
) -> None:
    run()
    for path in (root / "a.txt", root / "sub" / "b.txt"):
        path.unlink()
    (root / "image.png").write_bytes(b"png")
    with pytest.raises(MissingFolderError, match="holds no document"):
        run()
    assert len(listed(store)) == 2


def test_the_data_folder_inside_the_corpus_is_not_indexed(root: Path, embedder: HashEmbedder) -> None:
    with LocalStore.open(root / "index-data", built_by(embedder), writable=True) as store:
        (root / "index-data" / "notes.txt").write_text("not a document")
        assert counts(sync(store, embedder, prepare, root)) == {"added": 2}


def test_progress_tells_each_file_and_the_end(store: LocalStore, embedder: HashEmbedder, root: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    sync(store, embedder, prepare, root, progress=lambda done, total, path: seen.append((done, total, path)))
    assert seen == [(0, 2, "a.txt"), (1, 2, "sub/b.txt"), (2, 2, "")]


def test_a_text_the_embedder_cannot_take_costs_only_its_vector(store: LocalStore, root: Path) -> None:
    report = sync(store, HashEmbedder(refuses="second"), prepare, root)
    assert counts(report) == {"added": 2}
    assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 4
    assert [info.notes for info in store.documents("default")] == [
        (),
        ("1 of 2 passages could not be embedded; they are found by their words only",),
    ]


def test_an_embedder_that_fails_on_everything_ends_the_run(store: LocalStore, root: Path) -> None:
    with pytest.raises(ModelError):
        sync(store, HashEmbedder(refuses="a"), prepare, root)


def test_without_an_embedder_words_are_searched_and_vectors_come_later(
    open_store: Callable[..., LocalStore], root: Path
) -> None:
    plain = open_store(by=BuiltBy("", "", 0, 1))
    sync(plain, None, prepare, root)
    assert len(plain.lexical("default", ["letter"], 9, ALL)) == 2
    plain.close()
    store, embedder = open_store(), HashEmbedder()
    assert counts(sync(store, embedder, prepare, root)) == {"unchanged": 2}
    assert len(store.dense("default", np.ones(16, np.float32), 9, ALL)) == 5
    assert store.check().ok


def test_lone_surrogates_never_reach_the_embedder(store: LocalStore, embedder: HashEmbedder) -> None:
    def odd(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
        document, (passage,) = prepare(data, path)
        return replace(document, text="\ud800dd"), (replace(passage, text="\ud800dd"),)

    put(store, embedder, odd, "odd.txt", b"odd")
    assert embedder.embedded == ["\ufffddd"]


def test_many_small_files_are_embedded_together(
    store: LocalStore, embedder: HashEmbedder, root: Path
) -> None:
    for number in range(300):
        (root / f"{number}.txt").write_text(f"Number {number}")
    calls: list[int] = []
    plain = embedder.embed_documents
    embedder.embed_documents = lambda texts: (calls.append(len(texts)), plain(texts))[1]  # type: ignore[method-assign]
    sync(store, embedder, prepare, root)
    assert sum(calls) == 305
    assert len(calls) <= 3


# ------------------------------------------------------------------------------------------- uploads


def test_an_upload_is_added_changed_or_unchanged(store: LocalStore, embedder: HashEmbedder) -> None:
    outcomes = [put(store, embedder, prepare, "u.txt", text) for text in (b"one", b"one", b"two")]
    assert outcomes == ["added", "unchanged", "changed"]
    assert [info.origin for info in store.documents("default")] == ["upload"]


def test_an_upload_makes_its_collection(store: LocalStore, embedder: HashEmbedder) -> None:
    put(store, embedder, prepare, "u.txt", b"one", collection="fresh")
    assert store.collections() == ["default", "fresh"]


def test_a_sync_leaves_uploads_alone(
    run: Callable[[], SyncReport], store: LocalStore, embedder: HashEmbedder
) -> None:
    put(store, embedder, prepare, "u.txt", b"uploaded")
    assert counts(run()) == {"added": 2}
    assert listed(store) == ["a.txt", "sub/b.txt", "u.txt"]


def test_a_file_takes_the_place_of_an_upload_with_its_path(
    run: Callable[[], SyncReport], store: LocalStore, embedder: HashEmbedder
) -> None:
    put(store, embedder, prepare, "a.txt", b"uploaded")
    assert counts(run()) == {"added": 1, "changed": 1}
    assert {info.origin for info in store.documents("default")} == {"folder"}


def test_a_rejected_upload_changes_nothing(store: LocalStore, embedder: HashEmbedder) -> None:
    put(store, embedder, prepare, "u.txt", b"one")
    with pytest.raises(RejectedError, match="not_text"):
        put(store, embedder, prepare, "u.txt", b"\xff")
    assert store.text("default", store.documents("default")[0].id) == "one"


@pytest.mark.parametrize("path", ["../u.txt", "/u.txt", "a//u.txt", ""])
def test_an_upload_to_a_path_that_leads_elsewhere_is_refused(
    store: LocalStore, embedder: HashEmbedder, path: str
) -> None:
    with pytest.raises(InputError):
        put(store, embedder, prepare, path, b"one")


# --------------------------------------------------------------------------------------- killed runs


@pytest.mark.parametrize("when", [1, 5, 20, 60])
def test_a_killed_run_keeps_every_finished_document_and_the_next_one_completes_it(
    tmp_path: Path, strace: list[str], when: int
) -> None:
    root, data = tmp_path / "corpus", tmp_path / "data"
    root.mkdir()
    for number in range(40):
        (root / f"{number:02}.txt").write_text(f"Title {number}\n" + "words and words\n" * 10)
    inject = f"inject=fdatasync,pwrite64:signal=SIGKILL:when={20 + when}"
    command = [*strace, "-e", inject, sys.executable, "-Bc", SYNC, FAKES, data, root]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert killed.returncode in {-signal.SIGKILL, 128 + signal.SIGKILL}, json.dumps(killed.stderr)
    embedder = HashEmbedder()
    with LocalStore.open(data, built_by(embedder), writable=True) as store:
        kept = len(listed(store)) if "default" in store.collections() else 0
        assert store.check().ok
        assert counts(sync(store, embedder, prepare, root)) == {
            name: count for name, count in (("added", 40 - kept), ("unchanged", kept)) if count
        }
        assert store.check() == replace(store.check(), ok=True, documents=40)
