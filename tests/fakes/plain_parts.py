"""Stand-ins for the parts around the store: a deterministic embedder, and a plain preparation of text."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from index.errors import ModelError, RejectedError
from index.types import BuiltBy, Document, Paragraph, Passage, Upsert, Vectors

WORD = re.compile(r"\w+")
DIM = 16


class HashEmbedder:
    """Words hashed into buckets: deterministic, and texts that share words are near each other.

    Counts what it embeds. A text with a word in `refuses` fails, as a broken model would.
    """

    def __init__(self, dim: int = DIM, refuses: str = "") -> None:
        self.dim = dim
        self.name = f"hash-{dim}"
        self.sha256 = hashlib.sha256(self.name.encode()).hexdigest()
        self.refuses = refuses
        self.embedded: list[str] = []

    def embed_queries(self, texts: Sequence[str], /) -> Vectors:
        return self._embed(texts)

    def count_tokens(self, texts: Sequence[str], /) -> int:
        return sum(len(text.split()) for text in texts)

    def embed_documents(self, texts: Sequence[str], /) -> Vectors:
        if self.refuses and any(self.refuses in text for text in texts):
            raise ModelError("this text cannot be embedded")
        self.embedded.extend(texts)
        return self._embed(texts)

    def _embed(self, texts: Sequence[str]) -> Vectors:
        found = np.zeros((len(texts), self.dim), np.float32)
        for row, text in enumerate(texts):
            for word in WORD.findall(text.lower()):
                digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
                found[row, digest[0] % self.dim] += 1 if digest[1] % 2 else -1
            found[row, 0] += 0.5
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        return np.divide(found, norms, out=np.zeros_like(found), where=norms > 0)


def built_by(embedder: HashEmbedder | None) -> BuiltBy:
    if embedder is None:
        return BuiltBy("", "", 0, 1)
    return BuiltBy(embedder.name, embedder.sha256, embedder.dim, 1)


def prepare(data: bytes, path: str) -> tuple[Document, tuple[Passage, ...]]:
    """Each non-empty line is a paragraph and a passage; the first one is the title too."""
    if not path.endswith((".txt", ".md")):
        raise RejectedError("unsupported", path)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise RejectedError("not_text", "not UTF-8") from error
    if not text.strip():
        raise RejectedError("empty")
    paragraphs: list[Paragraph] = []
    start = 0
    for line_number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            paragraphs.append(
                Paragraph(len(paragraphs) + 1, line_number, line_number, start, start + len(line))
            )
        start += len(line) + 1
    title = text.strip().split("\n")[0]
    passages = tuple(
        Passage(p.number, 0, p.start, p.end, text[p.start : p.end], title if p.number > 1 else "")
        for p in paragraphs
    )
    document = Document(path, text, tuple(paragraphs), hashlib.sha256(data).hexdigest(), title)
    return document, passages


def upsert(path: str, text: str, embedder: HashEmbedder | None = None, date: str | None = None) -> Upsert:
    document, passages = prepare(text.encode(), path)
    texts = [f"{passage.context}\n{passage.text}" for passage in passages]
    vectors = np.zeros((0, 0), np.float32) if embedder is None else embedder.embed_documents(texts)
    document = Document(
        document.path, document.text, document.paragraphs, document.sha256, document.title, date
    )
    return Upsert(document, passages, vectors, len(text))
