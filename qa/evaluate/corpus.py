"""A corpus of records as a folder of files, and an index made from it for one evaluation."""

import re
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from qa.evaluate.records import DataFileError, read_records
from qa.evaluate.types import IndexedService, OpenService
from qa.settings import Settings


@dataclass(frozen=True, slots=True)
class CorpusText:
    """One text of a public set, by the set's own id."""

    id: str
    title: str
    text: str


def read_corpus(path: Path) -> list[CorpusText]:
    """Read `{"_id", "title", "text"}` lines; a text without words is left out.

    Raises:
        MissingFileError: the file cannot be opened.
        DataFileError: a line is not such an object, or an id comes twice.
    """
    texts: dict[str, CorpusText] = {}
    for record in read_records(path):
        text = CorpusText(record.key("_id"), record.text("title", ""), record.text("text", ""))
        if text.id in texts:
            raise record.error(f"the id {text.id!r} comes twice")
        texts[text.id] = text
    if not texts:
        raise DataFileError(path, "holds no text")
    return list(texts.values())


def file_name(text_id: str) -> str:
    """The file a text is written to: its id where that is a plain name, else a readable part of it and its hash."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}", text_id):
        return f"{text_id}.txt"
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", text_id).strip("-")[:40]
    return f"{readable or 'text'}.{sha256(text_id.encode()).hexdigest()[:16]}.txt"


@contextmanager
def own_index(
    settings: Settings, texts: Iterable[CorpusText], open_service: OpenService, cache: Path | None = None
) -> Iterator[tuple[IndexedService, Path]]:
    """A service over an index of its own, and the folder of files to sync into it.

    Both go afterwards unless `cache` keeps them; then the next sync has only changes to embed.
    """
    with _folder(cache) as folder:
        files = folder / "files"
        write_files(files, texts)
        with closing(open_service(replace(settings, data_dir=folder / "index"), writable=True)) as service:
            yield service, files


def write_files(folder: Path, texts: Iterable[CorpusText]) -> None:
    """Make a folder hold exactly these texts: title, blank line, text. Files that already say so are not touched."""
    folder.mkdir(parents=True, exist_ok=True)
    stale = {path.name for path in folder.iterdir()}
    for text in texts:
        title = " ".join(text.title.split())
        content = "\n\n".join(part for part in (title, text.text.strip()) if part)
        if not content:
            continue
        path = folder / file_name(text.id)
        if path.name not in stale or path.read_text(encoding="utf-8") != content + "\n":
            path.write_text(content + "\n", encoding="utf-8", newline="")
        stale.discard(path.name)
    for name in stale:
        (folder / name).unlink()


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        yield cache
        return
    with TemporaryDirectory(prefix="nutgraf-eval-") as name:
        yield Path(name)
