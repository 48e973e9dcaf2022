"""Whatever happens to a folder and its uploads, the index equals one built from scratch."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from plain_parts import HashEmbedder, built_by, prepare

from index.dense import EXACT_UP_TO
from index.store import LocalStore
from index.sync import put, sync
from index.types import Filters, Remove

ALL = Filters()
NAMES = st.sampled_from(["a.txt", "b.txt", "sub/a.txt", "sub/deep/c.txt", "d.md"])
WORDS = ["cat", "dog", "ship", "harbour", "noon"]
CONTENT = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4
).map("\n".join)
KEPT = "kept.txt"  # a folder without any document is an error of its own


def surface(store: LocalStore, embedder: HashEmbedder) -> dict[str, object]:
    """What a store gives for every question asked here, by place instead of by id."""
    found: dict[str, object] = {}

    def placed(hits: list[tuple[int, float]]) -> list[tuple[str, int, str, float]]:
        stored = store.passages("default", [id_ for id_, _ in hits])
        assert len(stored) == len(hits)
        return sorted(
            (item.source.document.path, item.passage.paragraph, item.source.text, round(score, 5))
            for item, (_, score) in zip(stored, hits, strict=True)
        )

    for word in WORDS:
        found[f"lexical {word}"] = placed(store.lexical("default", [word], 10_000, ALL))
        found[f"dense {word}"] = placed(
            store.dense("default", embedder.embed_queries([word])[0], 10_000, ALL)
        )
    narrowed = Filters(path="sub/*")
    found["filtered"] = placed(store.dense("default", embedder.embed_queries(["cat"])[0], 10_000, narrowed))
    found["counts"] = store.term_frequencies("default", WORDS)
    found["documents"] = [
        (i.path, i.title, i.sha256, i.origin, store.text("default", i.id)) for i in store.documents("default")
    ]
    return found


class IndexMachine(RuleBasedStateMachine):
    """Edits, renames, deletions, uploads, syncs and reopenings in any order."""

    exact_up_to = EXACT_UP_TO

    @initialize()
    def start(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.root = self.home / "corpus"
        self.root.mkdir()
        (self.root / KEPT).write_text("kept")
        self.embedder = HashEmbedder()
        self.documents: dict[str, tuple[str, str]] = {}
        self.store = self.opened()

    def opened(self) -> LocalStore:
        by = built_by(self.embedder)
        store = LocalStore.open(self.home / "data", by, writable=True, exact_up_to=self.exact_up_to)
        store.create_collection("default")
        return store

    @rule(name=NAMES, content=CONTENT)
    def write(self, name: str, content: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(content)

    @rule(old=NAMES, new=NAMES)
    def rename(self, old: str, new: str) -> None:
        if (self.root / old).exists():
            (self.root / new).parent.mkdir(parents=True, exist_ok=True)
            (self.root / old).rename(self.root / new)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    @rule(name=NAMES, content=CONTENT)
    def upload(self, name: str, content: str) -> None:
        put(self.store, self.embedder, prepare, name, content.encode())
        self.documents[name] = content, "upload"

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        self.store.apply("default", [Remove(name)])
        self.documents.pop(name, None)

    @rule()
    def snapshot(self) -> None:
        self.store.snapshot()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = self.opened()

    @rule()
    def reopen_without_snapshots(self) -> None:
        self.store.close()
        shutil.rmtree(self.home / "data" / "snapshots")
        self.store = self.opened()

    @rule()
    def sync(self) -> None:
        sync(self.store, self.embedder, prepare, self.root)
        held = {
            path.relative_to(self.root).as_posix(): path.read_text()
            for path in self.root.rglob("*")
            if path.is_file()
        }
        for path, content in held.items():
            if self.documents.get(path, ("", ""))[0] != content:
                self.documents[path] = content, "folder"
        gone = [
            path for path, (_, origin) in self.documents.items() if origin == "folder" and path not in held
        ]
        for path in gone:
            del self.documents[path]

    @invariant()
    def holds_what_it_should(self) -> None:
        stored = {
            info.path: (self.store.text("default", info.id), info.origin)
            for info in self.store.documents("default")
        }
        assert stored == self.documents
        for info in self.store.documents("default"):
            kept = stored[info.path][0].encode() if info.origin == "upload" else None
            assert self.store.original("default", info.id) == kept

    @rule()
    def equals_an_index_built_from_scratch(self) -> None:
        with LocalStore.open(self.home / "scratch", built_by(self.embedder), writable=True) as scratch:
            scratch.create_collection("default")
            for path, (content, _) in sorted(self.documents.items()):
                put(scratch, self.embedder, prepare, path, content.encode())
            expected = surface(scratch, self.embedder)
        shutil.rmtree(self.home / "scratch")
        expected["documents"] = [
            (path, title, sha, self.documents[path][1], text)
            for path, title, sha, _, text in expected["documents"]
        ]
        assert surface(self.store, self.embedder) == expected
        assert self.store.check().problems == ()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.equals_an_index_built_from_scratch()
            self.store.close()
            shutil.rmtree(self.home)


class LargeIndexMachine(IndexMachine):
    """The same where a handful of passages makes the dense index a compressed one."""

    exact_up_to = 4


def machine(name: str, examples: int, steps: int, machine: type[IndexMachine] = IndexMachine) -> type:
    case = type(name, (machine.TestCase,), {})
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    return case


TestAnyHistory = machine("TestAnyHistory", 15, 20)
TestAnyHistoryOfALargeIndex = machine("TestAnyHistoryOfALargeIndex", 15, 20, LargeIndexMachine)
TestAnyHistoryAtLength = pytest.mark.deep(
    pytest.mark.timeout(7200)(machine("TestAnyHistoryAtLength", 1000, 60))
)
