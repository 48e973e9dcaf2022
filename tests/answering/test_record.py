"""What is kept of answers, how their sources stand later, and what never stays behind."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import apsw
import pytest

from index.errors import CorruptError, LockedError, MismatchError, NotFoundError, StorageError
from index.types import Filters, Hit
from qa.compose import citation_of, whole
from qa.record import MadeWith, Record, record_from, record_json, record_of, with_states, without_words
from qa.record_store import ANSWERS_NAME, RecordStore
from qa.service import Service
from qa.settings import Settings
from qa.types import (
    Abstention,
    Answer,
    AnswererInfo,
    AskedQuery,
    Conflict,
    DraftSentence,
    Question,
    Trace,
    Turn,
)

CALL = "A call\n\nThe zqxjung call lasted 45 minutes.\n\nIt was held in spring.\n"
QUESTION = Question("How long did the zqxjung call last?")

Opener = Callable[..., Service]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_service(folder: Path) -> Iterator[Opener]:
    """Open the service, keeping words unless told otherwise."""
    opened: list[Service] = []

    def start(*, writable: bool = True, **changes: object) -> Service:
        given = {"record_text": True, "reranker": "off", **changes}
        opened.append(Service.open(Settings(data_dir=folder, **given), writable=writable))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for service in reversed(opened):
        service.close()


@pytest.fixture
def service(open_service: Opener) -> Service:
    opened = open_service()
    opened.create_collection("default")
    opened.put("call.txt", CALL.encode())
    opened.put("market.txt", b"Market\n\nThe market moved to the bridge in June.\n")
    return opened


@pytest.fixture(scope="session")
def made() -> Record:
    """A record of an answer whose LLM was not believed, with a conflict and what came nearest."""
    text = "The call lasted 45 minutes."
    digest = sha256(text.encode()).hexdigest()
    hit = Hit("d1", "call.txt", "A call", None, 2, 3, 3, 8, 35, None, text, digest, "", 0.9)
    cited = citation_of(whole(hit), "c1", 1, "http://127.0.0.1")
    answer = Answer(
        id="ans_made",
        status="abstained",
        answer="",
        answer_plain="",
        sentences=(),
        citations=(cited,),
        abstention=Abstention("unsupported_draft", (cited,)),
        conflicts=(Conflict("how long", ("45", "90"), ("c1",)),),
        query=AskedQuery(QUESTION.text, QUESTION.text),
        hits=(hit,),
        answerer=AnswererInfo("llm", "small"),
        trace=Trace(
            "f" * 64, "It was invented.", (DraftSentence(0, 16, "unsupported", 0.1, "learned", False),)
        ),
    )
    made_with = MadeWith(1, 1, "model", "0" * 64, 384, 1, "", "0.1.0")
    question = replace(QUESTION, filters=Filters(path="*.txt"))
    return record_of(question, answer, made_with, "2026-11-26T20:00:00.000+00:00")


def bare(service: Service, folder: Path) -> Service:
    """The same index, keeping hashes only."""
    return Service(Settings(data_dir=folder, reranker="off"), service._index, None)


def traces(folder: Path, word: bytes = b"zqxjung") -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and word in path.read_bytes().lower()]


# ------------------------------------------------------------------------------------------------ what is kept


def test_a_record_says_what_was_asked_found_and_said(service: Service) -> None:
    answer = service.ask(QUESTION)
    record = service.record(answer.id)
    assert (record.question.text, record.answer.text) == (QUESTION.text, answer.answer)
    assert [hit.sha256 for hit in record.hits] == [hit.sha256 for hit in answer.hits]
    assert [hit.scores for hit in record.hits] == [pytest.approx(hit.scores, abs=1e-6) for hit in answer.hits]
    assert [item.layer for item in record.sentences] == ["quote"]
    assert record.made_with.sequence == service.status()["sequence"]
    assert record.made_with.model
    assert record.timings_ms["total"] == pytest.approx(answer.timings_ms["total"], abs=1e-3)
    assert "record" not in answer.degraded


def test_by_default_a_record_holds_no_word(service: Service, folder: Path) -> None:
    answer = bare(service, folder).ask(replace(QUESTION, history=(Turn("user", "About the zqxjung?"),)))
    record = service.record(answer.id)
    assert b"zqxjung" not in (folder / ANSWERS_NAME).read_bytes().lower()
    assert b"zqxjung" not in (folder / f"{ANSWERS_NAME}-wal").read_bytes().lower()
    assert record.question.sha256 == sha256(QUESTION.text.encode()).hexdigest()
    assert record.citations[0].sha256 == answer.citations[0].sha256
    assert (record.citations[0].path, record.citations[0].cited_text) == ("call.txt", None)
    assert (record.turns, record.text_kept) == (1, False)


def test_a_draft_is_kept_with_what_was_left_out(made: Record) -> None:
    record = record_from(record_json(made))
    assert record == made
    assert [(item.verdict, item.shown) for item in record.draft.sentences] == [("unsupported", False)]
    assert (record.prompt_sha256, record.reason) == ("f" * 64, "unsupported_draft")
    assert without_words(record).draft.text is None


# ------------------------------------------------------------------------------------------------ states


def test_what_came_nearest_has_a_state_too(made: Record) -> None:
    assert [cited.state for cited in with_states(made, {"d1": ()}).nearest] == ["gone"]


def test_a_paragraph_that_is_the_same_is_current(service: Service) -> None:
    answer = service.ask(QUESTION)
    service.put("call.txt", CALL.replace("in spring", "in autumn").encode())
    assert [cited.state for cited in service.record(answer.id).citations] == ["current"]


def test_a_paragraph_that_changed_is_superseded(service: Service) -> None:
    answer = service.ask(QUESTION)
    service.put("call.txt", CALL.replace("45", "90").encode())
    (cited,) = service.record(answer.id).citations
    assert (cited.state, cited.moved_to) == ("superseded", None)
    assert cited.cited_text is not None
    assert "45" in cited.cited_text


def test_a_paragraph_that_only_moved_says_where_to(service: Service) -> None:
    answer = service.ask(QUESTION)
    service.put("call.txt", CALL.replace("A call\n", "A call\n\nNew words before it.\n").encode())
    (cited,) = service.record(answer.id).citations
    assert (cited.state, cited.moved_to) == ("superseded", cited.paragraph + 1)


def test_a_paragraph_beyond_the_end_is_gone(service: Service) -> None:
    answer = service.ask(QUESTION)
    service.put("call.txt", b"A call\n")
    assert [cited.state for cited in service.record(answer.id).citations] == ["gone"]


@pytest.mark.parametrize("away", ["document", "collection"])
def test_words_of_a_document_that_is_gone_are_not_shown(service: Service, away: str) -> None:
    answer = service.ask(QUESTION)
    if away == "document":
        service.remove("default", answer.citations[0].document_id)
    else:
        service.delete_collection("default")
    record = service.record(answer.id)
    assert [cited.state for cited in record.citations] == ["gone"]
    assert "zqxjung" not in record_json(record).lower()
    assert record.citations[0].path == "call.txt"


# ------------------------------------------------------------------------------------------------ purging


def test_a_purge_leaves_no_word_of_what_was_removed(service: Service, folder: Path) -> None:
    answer = service.ask(replace(QUESTION, filters=Filters(path="call.txt")))
    kept = service.ask(Question("Where did the market move?", filters=Filters(path="market.txt")))
    service.remove("default", answer.citations[0].document_id)
    assert ANSWERS_NAME in " ".join(traces(folder))
    service.purge()
    assert traces(folder) == []
    assert traces(folder, b"call.txt") == []
    assert [cited.state for cited in service.record(answer.id).citations] == ["gone"]
    assert service.record(kept.id).text_kept


def test_a_purge_leaves_no_word_of_what_was_replaced(service: Service, folder: Path) -> None:
    answer = service.ask(QUESTION)
    service.put("call.txt", b"A call\n\nNobody remembers it.\n")
    service.purge()
    assert traces(folder) == []
    assert service.record(answer.id).citations[0].path == "call.txt"


def test_a_purge_keeps_no_words_of_a_follow_up(service: Service, folder: Path) -> None:
    """Its standalone question may hold words of an answer from any document."""
    history = (Turn("user", "What about the wombat?"), Turn("assistant", "The wombat paid."))
    answer = service.ask(Question("And where did the market move?", history=history))
    service.purge()
    assert not service.record(answer.id).text_kept


def test_a_purge_waits_for_nobody_who_reads_records(service: Service, folder: Path) -> None:
    service.ask(QUESTION)
    reader = apsw.Connection(str(folder / ANSWERS_NAME), flags=apsw.SQLITE_OPEN_READONLY)
    reader.execute("BEGIN; SELECT count(*) FROM answer").fetchall()
    with pytest.raises(LockedError, match="records"):
        service.purge()
    reader.close()
    service.purge()


# ------------------------------------------------------------------------------------------------ keeping


@pytest.fixture
def clock() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def store(tmp_path: Path, clock: list[float]) -> Iterator[RecordStore]:
    made = RecordStore(tmp_path, days=2, most=3, clock=lambda: clock[0])
    yield made
    made.close()


def named(record: Record, id_: str) -> Record:
    return replace(record, id=id_)


def test_the_oldest_go_when_there_are_too_many(store: RecordStore, made: Record) -> None:
    for number in range(5):
        store.put(named(made, f"ans_{number}"))
    for gone in ("ans_0", "ans_1"):
        with pytest.raises(NotFoundError):
            store.get(gone)
    assert [store.get(f"ans_{number}").id for number in (2, 3, 4)] == ["ans_2", "ans_3", "ans_4"]


def test_a_record_past_its_days_is_neither_shown_nor_kept(
    store: RecordStore, made: Record, clock: list[float], tmp_path: Path
) -> None:
    store.put(named(made, "ans_old"))
    clock[0] += 2 * 86_400 + 1
    with pytest.raises(NotFoundError):
        store.get("ans_old")
    store.prune()
    store.close()
    assert b"ans_old" not in (tmp_path / ANSWERS_NAME).read_bytes()


def test_a_deleted_record_is_gone(store: RecordStore, made: Record) -> None:
    store.put(made)
    store.delete(made.id)
    for call in (store.get, store.delete):
        with pytest.raises(NotFoundError):
            call(made.id)


def test_without_days_nothing_is_kept(service: Service, folder: Path, open_service: Opener) -> None:
    answer = service.ask(QUESTION)
    service.close()
    none = open_service(record_days=0)
    with pytest.raises(NotFoundError):
        none.record(none.ask(QUESTION).id)
    none.close()
    with pytest.raises(NotFoundError):
        open_service().record(answer.id)


def test_an_overlong_record_loses_its_words(store: RecordStore, made: Record) -> None:
    store.put(replace(made, draft=replace(made.draft, text="x" * 300_000)))
    assert not store.get(made.id).text_kept
    sentences = made.draft.sentences * 3_000
    with pytest.raises(StorageError, match="longer"):
        store.put(replace(named(made, "b"), draft=replace(made.draft, sentences=sentences)))


def test_only_its_owner_can_read_the_file(store: RecordStore, made: Record, tmp_path: Path) -> None:
    store.put(made)
    files = list(tmp_path.glob(f"{ANSWERS_NAME}*"))
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert len(files) == 3


def test_threads_and_stores_write_side_by_side(store: RecordStore, made: Record, tmp_path: Path) -> None:
    other = RecordStore(tmp_path, days=2, most=1_000)
    both = [RecordStore(tmp_path, days=2_000_000, most=1_000), other]

    def write(number: int) -> None:
        for turn in range(20):
            both[number % 2].put(named(made, f"{number}-{turn}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {both[0].get(f"{n}-{turn}").id for n in range(4) for turn in range(20)} >= {"0-0", "3-19"}
    for each in both:
        each.close()


# ------------------------------------------------------------------------------------------------ failing


def broken(folder: Path, how: str) -> None:
    path = folder / ANSWERS_NAME
    if how == "folder":
        path.mkdir()
    elif how == "garbage":
        path.write_bytes(b"garbage" * 100)
    elif how == "other":
        with apsw.Connection(str(path)) as db:
            db.execute("CREATE TABLE x (y)")
    else:
        store = RecordStore(folder, days=1, most=1)
        with store._writing() as db:
            db.execute("PRAGMA user_version = 2" if how == "newer" else "DROP TABLE answer")
        store.close()


@pytest.mark.parametrize("how", ["folder", "garbage", "other", "newer", "no-table"])
def test_a_record_that_cannot_be_kept_costs_no_answer(service: Service, folder: Path, how: str) -> None:
    broken(folder, how)
    answer = service.ask(QUESTION)
    assert answer.status == "answered"
    assert answer.degraded[-1] == "record"


@pytest.mark.parametrize("how", ["garbage", "other", "newer"])
def test_a_check_names_a_damaged_file(service: Service, folder: Path, how: str) -> None:
    service.ask(QUESTION)
    assert service.check().ok
    service._recorder.close()
    for path in folder.glob(f"{ANSWERS_NAME}*"):
        path.unlink()
    broken(folder, how)
    report = service.check()
    assert not report.ok
    assert ANSWERS_NAME in report.problems[0]
    with pytest.raises((CorruptError, MismatchError)):
        service.record("ans_1")


def test_a_damaged_record_is_named(store: RecordStore, made: Record) -> None:
    store.put(made)
    with store._writing() as db:
        db.execute("UPDATE answer SET body = '{}'")
    with pytest.raises(CorruptError, match="damaged"):
        store.get(made.id)


def test_a_file_that_was_removed_is_made_anew(store: RecordStore, made: Record, tmp_path: Path) -> None:
    store.put(named(made, "before"))
    for path in tmp_path.glob(f"{ANSWERS_NAME}"):
        path.unlink()
    store.put(named(made, "after"))
    assert store.get("after").id == "after"
    with pytest.raises(NotFoundError):
        store.get("before")


ASK = """
import sys
from pathlib import Path
from qa.service import Service
from qa.settings import Settings
from qa.types import Question
with Service.open(Settings(data_dir=Path(sys.argv[1]), reranker="off")) as service:
    answer = service.ask(Question("How long did the zqxjung call last?"))
    print(answer.status, answer.degraded, answer.id)
"""


def in_another_process(folder: Path, *before: str) -> list[str]:
    command = [*before, sys.executable, "-c", ASK, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)
    return done.stdout.rsplit(" ", 1)


def test_a_process_beside_the_writer_records_too(service: Service, folder: Path) -> None:
    service.ask(QUESTION)
    said, id_ = in_another_process(folder)
    assert said == "answered ('rerank',)"
    assert service.record(id_.strip()).status == "answered"
    assert "record" not in service.ask(QUESTION).degraded


@pytest.mark.parametrize("fault", ["ENOSPC", "EROFS", "EIO"])
def test_a_full_or_failing_disk_costs_no_answer(
    service: Service, folder: Path, strace: list[str], fault: str
) -> None:
    service.close()
    inject = ["-P", str(folder / ANSWERS_NAME), "-P", str(folder / f"{ANSWERS_NAME}-wal")]
    with RecordStore(folder, days=1, most=1)._writing():
        pass
    said, _ = in_another_process(folder, *strace, *inject, "-e", f"inject=pwrite64,write:error={fault}")
    assert said == "answered ('rerank', 'record')"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_costs_no_answer(service: Service, folder: Path) -> None:
    service.close()
    folder.chmod(0o500)
    try:
        assert in_another_process(folder)[0] == "answered ('rerank', 'record')"
    finally:
        folder.chmod(0o700)
