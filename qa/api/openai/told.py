"""An answer in the objects of the OpenAI protocol: pure functions over plain dicts."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.types import Hit
from qa.payload import SCORE_DIGITS, Payload, answer_payload
from qa.render import REASONS
from qa.types import Answer, Citation

_HASH_IN_LINK = 16


@dataclass(frozen=True, slots=True)
class Placed:
    """A citation and the marker that stands for it in the answer's text, from `start` to before `end`."""

    citation: Citation
    start: int
    end: int


def placed(answer: Answer) -> Iterator[Placed]:
    """Each marker in the text with what it cites; the sentence itself where it carries none."""
    citations = {citation.id: citation for citation in answer.citations}
    for sentence in answer.sentences:
        for citation in (citations[name] for name in sentence.citations):
            marker = f"[{citation.marker}]"
            at = answer.answer.find(marker, sentence.end)
            if at < 0:
                yield Placed(citation, sentence.start, sentence.end)
            else:
                yield Placed(citation, at, at + len(marker))


def text_of(answer: Answer) -> str:
    """The answer's text; an abstention says in words that there is none."""
    if answer.abstention is not None:
        return f"No answer: {REASONS[answer.abstention.reason]}"
    return answer.answer


def link(citation: Citation) -> str:
    """The page of the document, open at the paragraph, with the cited characters marked."""
    page, _, anchor = citation.url.partition("#")
    marked = f"start={citation.start_char_index}&end={citation.end_char_index}"
    return f"{page}?{marked}&sha256={citation.sha256[:_HASH_IN_LINK]}#{anchor}"


def finish_reason(answer: Answer) -> str:
    """How the text ended: `length` where an LLM's draft broke off, whatever broke it."""
    if answer.answerer.kind == "llm" and "llm_refused" in answer.degraded:
        return "content_filter"
    return "length" if "llm_truncated" in answer.degraded else "stop"


def usage(answer: Answer) -> dict[str, int] | None:
    """Tokens as the LLM's endpoint counts them: zeros where no LLM wrote, None where it wrote and did not count."""
    if answer.usage:
        given = answer.usage.get("prompt_tokens", 0), answer.usage.get("completion_tokens", 0)
    elif answer.answerer.kind == "llm":
        return None
    else:
        given = (0, 0)
    total = answer.usage.get("total_tokens", sum(given))
    return {"prompt_tokens": given[0], "completion_tokens": given[1], "total_tokens": total}


def url_annotation(found: Placed) -> Payload:
    """A citation as chat puts it."""
    citation = found.citation
    return {
        "type": "url_citation",
        "url_citation": {
            "start_index": found.start,
            "end_index": found.end,
            "title": citation.title or citation.path,
            "url": link(citation),
        },
    }


def file_annotation(found: Placed) -> Payload:
    """A citation as responses put it, with where it stands in the file."""
    citation = found.citation
    return {
        "type": "file_citation",
        "file_id": citation.document_id,
        "filename": citation.path,
        "index": found.start,
        "paragraph": citation.paragraph,
        "line_start": citation.line_start,
        "line_end": citation.line_end,
        "start_char_index": citation.start_char_index,
        "end_char_index": citation.end_char_index,
        "cited_text": citation.cited_text,
        "sha256": citation.sha256,
        "url": link(citation),
    }


def message(answer: Answer) -> Payload:
    """The assistant's message of a chat."""
    return {
        "role": "assistant",
        "content": text_of(answer),
        "refusal": None,
        "annotations": [url_annotation(found) for found in placed(answer)],
        "context": answer_payload(answer),
    }


def completion(answer: Answer, id_: str, created: int, model: str) -> Payload:
    """The object of `POST /v1/chat/completions`."""
    choice = {
        "index": 0,
        "message": message(answer),
        "logprobs": None,
        "finish_reason": finish_reason(answer),
    }
    return {
        "id": id_,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage(answer),
    }


def hit_result(hit: Hit) -> Payload:
    """A hit as a result of a file search."""
    return {
        "file_id": hit.document_id,
        "filename": hit.path,
        "score": round(hit.score, SCORE_DIGITS),
        "attributes": _attributes(hit),
    }


def _attributes(hit: Hit) -> dict[str, str | float]:
    given: dict[str, str | int | None] = {
        "title": hit.title,
        "date": hit.date,
        "page": hit.page,
        "paragraph": hit.paragraph,
        "line_start": hit.line_start,
        "line_end": hit.line_end,
        "start_char_index": hit.start,
        "end_char_index": hit.end,
        "sha256": hit.sha256,
    }
    return {name: value for name, value in given.items() if value is not None}


def search_call(id_: str, queries: Sequence[str], hits: Sequence[Hit] | None) -> Payload:
    """The item of a response that reports the search; results only where they were asked for."""
    results = None if hits is None else [hit_result(hit) | {"text": hit.text} for hit in hits]
    return {
        "type": "file_search_call",
        "id": id_,
        "status": "completed",
        "queries": list(queries),
        "results": results,
    }


def text_part(answer: Answer) -> Payload:
    """The one part of a response's message."""
    return {
        "type": "output_text",
        "text": text_of(answer),
        "annotations": [file_annotation(found) for found in placed(answer)],
        "logprobs": [],
    }


def output_message(answer: Answer, id_: str) -> Payload:
    """The item of a response that holds the answer."""
    status = "completed" if finish_reason(answer) == "stop" else "incomplete"
    return {
        "type": "message",
        "id": id_,
        "role": "assistant",
        "status": status,
        "content": [text_part(answer)],
        "context": answer_payload(answer),
    }


def response(id_: str, created: int, model: str) -> Payload:
    """A response that has only begun."""
    return {
        "id": id_,
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": model,
        "output": [],
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": None,
    }


def ended(begun: Payload, answer: Answer, output: Sequence[Payload]) -> Payload:
    """The same response with its answer."""
    finish = finish_reason(answer)
    why = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(finish)
    return begun | {
        "status": "completed" if why is None else "incomplete",
        "incomplete_details": None if why is None else {"reason": why},
        "output": list(output),
        "usage": _response_usage(answer),
    }


def _response_usage(answer: Answer) -> Payload | None:
    counted = usage(answer)
    if counted is None:
        return None
    return {
        "input_tokens": counted["prompt_tokens"],
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": counted["completion_tokens"],
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": counted["total_tokens"],
    }


def new_id(kind: str) -> str:
    """A random id."""
    return f"{kind}_{secrets.token_hex(12)}"
