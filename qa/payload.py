"""From frozen values to the JSON objects of the contract: one shape for HTTP, streams and the command line.

Pure functions over plain dicts: no schema library is imported, so a command that prints JSON starts fast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from index.types import CheckReport, DocumentInfo, Filters, Hit, SearchResult, StoredParagraph, SyncReport
from qa.types import Abstention, Answer, Citation, Conflict, Question, Sentence, Verified

if TYPE_CHECKING:  # a client that prints an answer needs no SQLite
    from index.backup import Manifest
    from index.proof import Proof
    from qa.record import Record

Payload = dict[str, object]
"""A JSON object whose keys are those of the contract."""

SCORE_DIGITS = 6
TIME_DIGITS = 3


def answer_payload(answer: Answer) -> Payload:
    """The answer object of `POST /v1/query`, of its `final` event and of `nutgraf ask --json`."""
    return {
        "id": answer.id,
        "status": answer.status,
        "answer": answer.answer,
        "answer_plain": answer.answer_plain,
        "sentences": [sentence_payload(sentence) for sentence in answer.sentences],
        "citations": [citation_payload(citation) for citation in answer.citations],
        "abstention": None if answer.abstention is None else abstention_payload(answer.abstention),
        "conflicts": [conflict_payload(conflict) for conflict in answer.conflicts],
        "query": {"original": answer.query.original, "standalone": answer.query.standalone},
        "hits": [hit_payload(hit) for hit in answer.hits],
        "answerer": {"kind": answer.answerer.kind, "model": answer.answerer.model},
        "degraded": list(answer.degraded),
        "usage": dict(answer.usage),
        "timings_ms": _rounded(answer.timings_ms, TIME_DIGITS),
    }


def sentence_payload(sentence: Sentence) -> Payload:
    """A sentence of an answer; its text is the answer's from `start` to `end`."""
    return {
        "index": sentence.index,
        "start": sentence.start,
        "end": sentence.end,
        "verdict": sentence.verdict,
        "score": round(sentence.score, SCORE_DIGITS),
        "citations": list(sentence.citations),
    }


def verified_sentence_payload(sentence: Sentence) -> Payload:
    """A sentence of somebody's text, with its words and the layer of the check that decided."""
    return {**sentence_payload(sentence), "text": sentence.text, "layer": sentence.layer}


def citation_payload(citation: Citation) -> Payload:
    """A citation: address, verbatim text, hash and link."""
    return {
        "id": citation.id,
        "marker": citation.marker,
        "document_id": citation.document_id,
        "path": citation.path,
        "title": citation.title,
        "date": citation.date,
        "paragraph": citation.paragraph,
        "line_start": citation.line_start,
        "line_end": citation.line_end,
        "page": citation.page,
        "start_char_index": citation.start_char_index,
        "end_char_index": citation.end_char_index,
        "cited_text": citation.cited_text,
        "sha256": citation.sha256,
        "url": citation.url,
    }


def abstention_payload(abstention: Abstention) -> Payload:
    """Why there is no answer, and what came nearest."""
    return {
        "reason": abstention.reason,
        "nearest": [citation_payload(citation) for citation in abstention.nearest],
    }


def conflict_payload(conflict: Conflict) -> Payload:
    """Values that sources disagree on, with the ids of the citations that give them."""
    return {
        "claim": conflict.claim,
        "values": list(conflict.values),
        "citations": list(conflict.citations),
    }


def hit_payload(hit: Hit) -> Payload:
    """A hit with its whole paragraph and the scores its score was made from."""
    return {
        "document_id": hit.document_id,
        "path": hit.path,
        "title": hit.title,
        "date": hit.date,
        "paragraph": hit.paragraph,
        "line_start": hit.line_start,
        "line_end": hit.line_end,
        "page": hit.page,
        "start_char_index": hit.start,
        "end_char_index": hit.end,
        "score": round(hit.score, SCORE_DIGITS),
        "scores": _rounded(hit.scores, SCORE_DIGITS),
        "text": hit.text,
    }


def search_payload(result: SearchResult) -> Payload:
    """The object of `POST /v1/search` and of `nutgraf search --json`."""
    return {
        "hits": [hit_payload(hit) for hit in result.hits],
        "degraded": list(result.degraded),
        "timings_ms": _rounded(result.timings_ms, TIME_DIGITS),
    }


def verified_payload(verified: Verified) -> Payload:
    """The object of `POST /v1/verify` and of `nutgraf verify --json`."""
    return {
        "sentences": [verified_sentence_payload(sentence) for sentence in verified.sentences],
        "citations": [citation_payload(citation) for citation in verified.citations],
    }


def sync_payload(report: SyncReport) -> Payload:
    """The object of `nutgraf index --json`; paths are relative to the folder that was indexed."""
    return {
        "added": report.added,
        "changed": report.changed,
        "moved": report.moved,
        "removed": report.removed,
        "unchanged": report.unchanged,
        "skipped": [
            {"path": skipped.path, "reason": skipped.reason, "detail": skipped.detail}
            for skipped in report.skipped
        ],
        "passages": report.passages,
        "seconds": round(report.seconds, TIME_DIGITS),
    }


def check_payload(report: CheckReport) -> Payload:
    """The object of `nutgraf check --json`."""
    return {
        "ok": report.ok,
        "documents": report.documents,
        "paragraphs": report.paragraphs,
        "passages": report.passages,
        "problems": list(report.problems),
    }


def record_payload(record: "Record") -> Payload:
    """The object of `GET /v1/answers/{id}` and of `nutgraf answer --json`."""
    return asdict(record)


def backup_payload(manifest: "Manifest", folder: Path) -> Payload:
    """The object of `nutgraf backup --json` and `restore --json`; `path` is the backup's folder."""
    held = manifest.contents
    return {
        "path": str(folder),
        "documents": held.documents,
        "paragraphs": held.paragraphs,
        "passages": held.passages,
        "collections": list(held.collections),
        "sequence": held.sequence,
        "bytes": manifest.size,
        "sha256": manifest.sha256,
        "made_at": manifest.made_at,
    }


def migration_payload(proofs: "Sequence[Proof]") -> Payload:
    """The object of `nutgraf migrate --json`."""
    return {
        "equal": all(proof.equal for proof in proofs),
        "collections": [
            {
                "collection": proof.collection,
                "vectors": proof.vectors,
                "sha256": proof.sha256,
                "top10": proof.overlap,
                "problems": list(proof.problems),
            }
            for proof in proofs
        ],
    }


def document_payload(document: DocumentInfo) -> Payload:
    """A stored document without its text."""
    return {
        "id": document.id,
        "path": document.path,
        "title": document.title,
        "date": document.date,
        "media_type": document.media_type,
        "sha256": document.sha256,
        "size": document.size,
        "paragraphs": document.paragraphs,
        "passages": document.passages,
        "indexed_at": document.indexed_at,
        "origin": document.origin,
        "notes": list(document.notes),
    }


def paragraph_payload(stored: StoredParagraph) -> Payload:
    """A paragraph as stored, with the document it stands in."""
    paragraph = stored.paragraph
    return {
        "document_id": stored.document.id,
        "path": stored.document.path,
        "title": stored.document.title,
        "date": stored.document.date,
        "paragraph": paragraph.number,
        "line_start": paragraph.line_start,
        "line_end": paragraph.line_end,
        "page": paragraph.page,
        "start_char_index": paragraph.start,
        "end_char_index": paragraph.end,
        "kind": paragraph.kind,
        "headings": list(paragraph.headings),
        "text": stored.text,
        "sha256": stored.sha256,
    }


def question_payload(question: Question) -> Payload:
    """The request of `POST /v1/query` that asks this question."""
    return {
        "question": question.text,
        "collection": question.collection,
        "history": [{"role": turn.role, "content": turn.content} for turn in question.history],
        "top_k": question.top_k,
        "filters": filters_payload(question.filters),
        "verify": question.verify,
    }


def filters_payload(filters: Filters) -> Payload:
    """Only the filters that are set."""
    given = {"path": filters.path, "date_from": filters.date_from, "date_to": filters.date_to}
    return {name: value for name, value in given.items() if value is not None}


def _rounded(numbers: Mapping[str, float], digits: int) -> dict[str, float]:
    return {name: round(value, digits) for name, value in numbers.items()}
