"""A small service that answers by word overlap, for tests of the API that need one to be slow, broken or watched.

Run as a program it serves over HTTP: `python fake_service.py`, set by the usual variables.
"""

import hashlib
import os
import re
import sys
import threading
import time

from index.errors import NotFoundError
from index.types import (
    DocumentInfo,
    Filters,
    Hit,
    Holdings,
    Paragraph,
    SearchResult,
    StoredParagraph,
    SyncReport,
)
from qa.api.server import serve
from qa.errors import SettingsError
from qa.settings import Settings
from qa.types import (
    Abstention,
    Answer,
    AnswererInfo,
    AskedQuery,
    Citation,
    Event,
    Sentence,
    Verified,
)

TEXTS = {
    "call.txt": ("Call between the two\n", "The call lasted 45 minutes.\n", "It was held in the spring.\n"),
    "visit.md": ("<script>alert(1)</script> A visit\n", "The visit took 90 minutes & ended well.\n"),
}


def _sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _words(text):
    return set(re.findall(r"\w+", text.lower()))


class FakeService:
    """Holds TEXTS in the collection `default`. Questions that begin with `wait` last until they are cancelled."""

    writable = False

    def __init__(self, settings=None, error=None):
        self.settings = settings or Settings()
        self.error = error
        self.cancelled_after = None
        self.entered = threading.Event()
        self.left = threading.Event()
        self.closed = False
        reason = os.environ.get("FAKE_REASON")
        self.is_ready = (False, (reason,)) if reason else (True, ())

    def collections(self):
        return ["default"]

    def holdings(self):
        return Holdings(1, len(TEXTS), 5, 1713312000, 7)

    def documents(self, collection):
        self._enter(collection)
        return [self._info(path) for path in TEXTS]

    def document(self, collection, document_id):
        for info in self.documents(collection):
            if info.id == document_id:
                return info
        raise NotFoundError("no such document")

    def paragraphs(self, collection, document_id):
        info = self.document(collection, document_id)
        found, at = [], 0
        for number, text in enumerate(TEXTS[info.path], start=1):
            kept = text.rstrip("\n")
            paragraph = Paragraph(number, number, number, at, at + len(kept))
            found.append(StoredParagraph(info, paragraph, kept, _sha(kept)))
            at += len(text)
        return found

    def text(self, collection, document_id):
        return "".join(TEXTS[self.document(collection, document_id).path])

    def search(self, query, *, collection="default", k=8, filters=Filters()):
        self._enter(collection)
        scored = [
            (len(_words(query) & _words(stored.text)), stored)
            for info in self.documents(collection)
            for stored in self.paragraphs(collection, info.id)
        ]
        best = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])[:k]
        return SearchResult(tuple(_hit(score, stored) for score, stored in best), (), {"search": 0.1})

    def ask(self, question, *, on_event=None, cancelled=None):
        self._enter(question.collection)
        tell = on_event or (lambda event: None)
        result = self.search(question.text, collection=question.collection, k=question.top_k)
        tell(Event("search", {"hits": len(result.hits)}))
        if question.text.startswith("wait"):
            self._wait(cancelled)
        if question.text.startswith("break"):
            raise RuntimeError(question.text)
        if question.text.startswith("odd"):
            tell(Event("delta", {"score": float("nan")}))
        answer = self._answer(question, result)
        for sentence in answer.sentences:
            tell(Event("delta", {"text": sentence.text + "\n\u2028event: forged"}))
            tell(Event("sentence", {"index": sentence.index}))
        return answer

    def record(self, answer_id):
        self._enter("default")
        raise NotFoundError("no record")

    def forget(self, answer_id):
        self.record(answer_id)

    def verify(self, text, *, collection="default"):
        self._enter(collection)
        return Verified((Sentence(0, 0, len(text), "unsupported", 0.1, (), text, "lexical"),), ())

    def sync(self, root, *, collection="default", progress=None):
        for number in range(int(os.environ.get("FAKE_SYNC_STEPS", "1"))):
            if progress is not None:
                progress(number, 1, "call.txt")
            time.sleep(0.02)
        return SyncReport(added=2, seconds=0.02)

    def ready(self):
        return self.is_ready

    def close(self):
        self.closed = True

    def _enter(self, collection):
        self.entered.set()
        if self.error is not None:
            raise self.error
        if collection != "default":
            raise NotFoundError("no such collection")

    def _wait(self, cancelled):
        for _ in range(1500):
            if cancelled is not None and cancelled.wait(0.02):
                self.left.set()
                return

    def _info(self, path):
        text = "".join(TEXTS[path])
        return DocumentInfo(
            _sha(path)[:16], path, TEXTS[path][0].strip(), "2024-04-16", "text/plain", _sha(text), len(text),
            len(TEXTS[path]), len(TEXTS[path]), "2024-04-17T00:00:00Z",
        )  # fmt: skip

    def _answer(self, question, result):
        cited = tuple(_citation(n, hit, self.settings) for n, hit in enumerate(result.hits[:1], start=1))
        text = " ".join(f"{item.cited_text} [{item.marker}]" for item in cited)
        sentences = tuple(
            Sentence(0, 0, len(text), "supported", 1.0, (item.id,), item.cited_text, "quote")
            for item in cited
        )
        return Answer(
            id="ans_1",
            status="answered" if cited else "abstained",
            answer=text,
            answer_plain=text,
            sentences=sentences,
            citations=cited,
            abstention=None if cited else Abstention("no_evidence"),
            conflicts=(),
            query=AskedQuery(question.text, question.text),
            hits=result.hits,
            answerer=AnswererInfo("extractive", "fake"),
            timings_ms={"total": float("inf") if question.text.startswith("endless") else 1.0},
        )


def _hit(score, stored):
    info, paragraph = stored.document, stored.paragraph
    return Hit(
        info.id, info.path, info.title, info.date, paragraph.number, paragraph.line_start, paragraph.line_end,
        paragraph.start, paragraph.end, None, stored.text, stored.sha256, "", float(score), {"lexical": score},
    )  # fmt: skip


def _citation(marker, hit, settings):
    url = f"{settings.public_base_url}/documents/{hit.document_id}#p{hit.paragraph}"
    return Citation(
        f"c{marker}", marker, hit.document_id, hit.path, hit.title, hit.date, hit.paragraph, hit.line_start,
        hit.line_end, None, hit.start, hit.end, hit.text, hit.sha256, url,
    )  # fmt: skip


def main():
    def opener(settings):
        time.sleep(float(os.environ.get("FAKE_OPEN_S", "0")))
        return FakeService(settings)

    try:
        serve(
            Settings.from_env({k: v for k, v in os.environ.items() if k.startswith(("NUTGRAF_", "OTEL_"))}),
            opener=opener,
        )
    except SettingsError as error:
        print(f"nutgraf: {error}", file=sys.stderr)
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main())
