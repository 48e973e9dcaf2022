from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.evaluate.corpus import CorpusText, file_name, own_index, read_corpus, write_files
from qa.evaluate.records import DataFileError
from qa.settings import Settings


@given(st.text(min_size=1))
def test_any_id_gives_a_plain_file_name(text_id: str) -> None:
    try:
        name = file_name(text_id)
    except UnicodeEncodeError:
        pytest.skip("ids with half characters are refused when read")
    assert name.endswith(".txt")
    assert not name.startswith(".")
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")
    assert len(name) <= 84


def test_ids_that_look_alike_give_different_files() -> None:
    names = {file_name(text_id) for text_id in ("a/b", "a?b", "a-b", "../a", "a", "é", "ö", "x" * 200)}
    assert len(names) == 8


def test_a_plain_id_stays_readable() -> None:
    assert file_name("0_12") == "0_12.txt"


def test_files_hold_title_blank_line_and_text(tmp_path: Path) -> None:
    texts = [CorpusText("a", "A\n title", "One.\n\nTwo."), CorpusText("b", "", "x"), CorpusText("c", "", " ")]
    write_files(tmp_path, texts)
    found = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert found == {"a.txt": "A title\n\nOne.\n\nTwo.\n", "b.txt": "x\n"}


def test_only_changed_files_are_written_and_stale_ones_go(tmp_path: Path) -> None:
    write_files(tmp_path, [CorpusText(name, "", name) for name in "abc"])
    before = (tmp_path / "a.txt").stat().st_mtime_ns
    write_files(tmp_path, [CorpusText("a", "", "a"), CorpusText("b", "", "new")])
    assert (tmp_path / "a.txt").stat().st_mtime_ns == before
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "a\n", "b.txt": "new\n"}


def test_a_corpus_with_an_id_twice_is_refused(write_lines: Callable[..., Path]) -> None:
    path = write_lines("corpus.jsonl", {"_id": "a", "text": "x"}, {"_id": "a", "text": "y"})
    with pytest.raises(DataFileError) as caught:
        read_corpus(path)
    assert caught.value.line == 2


def test_an_empty_corpus_is_refused(write_lines: Callable[..., Path]) -> None:
    with pytest.raises(DataFileError, match="holds no text"):
        read_corpus(write_lines("corpus.jsonl"))


def test_an_index_of_its_own_is_gone_afterwards(opener) -> None:
    with own_index(Settings(), [CorpusText("a", "", "x")], opener) as (service, files):
        assert [path.name for path in files.iterdir()] == ["a.txt"]
    settings, writable, opened = opener.opened[0]
    assert (opened, opened.closed, writable) == (service, True, True)
    assert settings.data_dir != Settings().data_dir
    assert not files.exists()


def test_a_cached_index_stays(opener, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with own_index(Settings(), [CorpusText("a", "", "x")], opener, cache):
        pass
    assert (cache / "files/a.txt").read_text() == "x\n"
    assert opener.opened[0][0].data_dir == cache / "index"
