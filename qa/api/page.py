"""The pages that run no script: a document with an anchor at each paragraph, and the API's reference."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from itertools import groupby
from typing import Any

from index.types import DocumentInfo, StoredParagraph
from qa.api.errors import TABLE

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere}"
    "pre{border:1px solid #8888;padding:.6rem;font-size:.85rem}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8888}"
    "small{color:#767676}"
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The reference's Content-Security-Policy: this one style, and nothing else."""

_MAKE = 'nutgraf eval questions.jsonl --html "${NUTGRAF_DATA_DIR:-.nutgraf}/evaluation.html"'

_SHOWN = {0x09, 0x0A}
_VISIBLE = (
    {code: chr(0x2400 + code) for code in range(0x20) if code not in _SHOWN}
    | {0x7F: "␡"}
    | {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    # Overrides and embeddings turn text around; marks (200E, 200F) only help it and stay.
    | {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
    | dict.fromkeys(range(0xE0000, 0xE0080), "")  # tag characters say what nobody sees
)

_METHODS = ("get", "put", "post", "delete")


MISSING = (
    '<main id="main" class="paper"><h1>Not here</h1><p>This document is no longer in the collection, or never was. '
    'What there is: <a href="/documents">all documents</a>.</p></main>'
)
"""The main part of the page for a document that is gone."""

_CHANGED = '<p class="note">The document has changed since it was cited: it no longer says this here.</p>'


@dataclass(frozen=True, slots=True)
class Span:
    """Characters of a document to mark: `sha256` is how the hash of their text begins, or nothing."""

    start: int
    end: int
    sha256: str = ""

    def stands_in(self, paragraphs: Iterable[StoredParagraph]) -> bool:
        """Whether the document still says there what was cited."""
        if not self.sha256:
            return True
        texts = (
            stored.text[self.start - stored.paragraph.start : self.end - stored.paragraph.start]
            for stored in paragraphs
            if stored.paragraph.start <= self.start < self.end <= stored.paragraph.end
        )
        return any(
            hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest().startswith(self.sha256)
            for text in texts
        )


def document(
    info: DocumentInfo,
    paragraphs: Sequence[StoredParagraph],
    cited: Span | None = None,
    *,
    original: str = "",
) -> str:
    """The main part of a document's page; paragraph 12 is the element `p12`, and what is cited is marked.

    Paragraphs that have a page stand in a section of it, page 3 in `page3`. `original` is the address of the file.
    """
    facts = [shown(info.path), *([info.date] if info.date else []), f"{info.paragraphs} paragraphs"]
    where = [f"<bdi>{escape(fact)}</bdi>" for fact in facts]
    stands = cited is None or cited.stands_in(paragraphs)
    at_page = original if info.media_type == "application/pdf" else ""
    body = [
        '<main id="main" class="paper">',
        f'<h1 dir="auto">{_text(info.title or info.path)}</h1>',
        f'<p class="where">{" · ".join([*where, *_link(original, "original file")])}</p>',
        "" if stands else _CHANGED,
    ]
    for page, there in groupby(paragraphs, lambda stored: stored.paragraph.page):
        inside = [_paragraph(stored, cited if stands else None) for stored in there]
        body += inside if page is None else _section(page, inside, at_page)
    return "\n".join([*body, "</main>"])


def evaluation(made: datetime | None) -> str:
    """The main part of the evaluation view."""
    if made is None:
        return (
            '<main id="main" class="wide"><h1>Evaluation</h1>'
            "<p>No report has been made yet. Write questions into a file, one JSON object a line, and run:</p>"
            f'<pre tabindex="0">{_MAKE}</pre>'
            "<p>It asks every question and reports how well the answers are found, cited and refused. "
            "The report then stands here.</p></main>"
        )
    return (
        '<main id="main" class="wide report"><h1>Evaluation</h1>'
        f'<p class="where">Made <time datetime="{made:%Y-%m-%dT%H:%MZ}">{made:%Y-%m-%d %H:%M} UTC</time> · '
        '<a href="/evaluation/report">on a page of its own</a></p>'
        '<iframe src="/evaluation/report" sandbox title="Evaluation report"></iframe></main>'
    )


def shown(text: str) -> str:
    """Text whose control characters can be seen, so that none of them makes it read as something else."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def _section(page: int, inside: Iterable[str], original: str) -> list[str]:
    there = _link(original and f"{original}#page={page}", f"original at page {page}")
    name = f'<h2 id="page{page}-name">Page {page}</h2>'
    return [
        f'<section class="page" id="page{page}" aria-labelledby="page{page}-name">{name}',
        *(f'<p class="where">{link}</p>' for link in there),
        *inside,
        "</section>",
    ]


def _link(address: str, name: str) -> list[str]:
    return [f'<a href="{escape(address)}">{escape(name)}</a>'] if address else []


def _paragraph(stored: StoredParagraph, cited: Span | None) -> str:
    paragraph = stored.paragraph
    number, kind = paragraph.number, paragraph.kind
    page = f" · page {paragraph.page}" if paragraph.page is not None else ""
    first, last = paragraph.line_start, paragraph.line_end
    lines = f"line {first}" if first == last else f"lines {first}–{last}"
    return (
        f'<p id="p{number}" class="paragraph {kind}" dir="auto">'
        f'<a class="number" href="#p{number}" title="{lines}{page}" aria-label="Paragraph {number}">{number}</a>'
        f"{_marked(stored, cited)}</p>"
    )


def _marked(stored: StoredParagraph, cited: Span | None) -> str:
    text, at = stored.text, stored.paragraph.start
    start, end = (max(0, cited.start - at), min(len(text), cited.end - at)) if cited else (0, 0)
    if start >= end:
        return _text(text)
    return f"{_text(text[:start])}<mark>{_text(text[start:end])}</mark>{_text(text[end:])}"


def _text(text: str) -> str:
    return escape(shown(text))


def reference(schema: Mapping[str, Any], base_url: str) -> str:
    """The API's reference as HTML, made from its OpenAPI document."""
    info = schema["info"]
    body = [
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info.get('description', ''))}</p>",
        '<p>For programs: <a href="/openapi.json">/openapi.json</a>.</p>',
    ]
    for path, item in schema["paths"].items():
        for method in _METHODS:
            if method in item:
                body += _operation(path, method, item[method], schema, base_url)
    return _page(info["title"], [*body, *_errors()])


def _operation(
    path: str, method: str, operation: Mapping[str, Any], schema: Mapping[str, Any], base_url: str
) -> list[str]:
    lines = [
        f"<h2>{method.upper()} {escape(path)}</h2>",
        f"<p>{escape(operation.get('summary', ''))}. {escape(operation.get('description', ''))}</p>",
    ]
    rows = [
        (item["name"], item["schema"], item.get("required", False))
        for item in operation.get("parameters", [])
    ]
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    if body is not None:
        rows += _fields(body, schema)
        lines.append(f"<pre>{escape(_curl(path, base_url))}</pre>")
    if rows:
        lines.append(_table(("field", "type", "default"), [_row(*row) for row in rows]))
    return lines


def _fields(body: Mapping[str, Any], schema: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any], bool]]:
    model = _resolve(body, schema)
    required = model.get("required", [])
    return [
        (name, _resolve(field, schema), name in required)
        for name, field in model.get("properties", {}).items()
    ]


def _resolve(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in part:
        return part
    target: Mapping[str, Any] = schema["components"]["schemas"][part["$ref"].rsplit("/", 1)[1]]
    return {**target, **{key: value for key, value in part.items() if key != "$ref"}}


def _row(name: str, field: Mapping[str, Any], required: bool) -> tuple[str, str, str]:
    kind = " or ".join(map(repr, field["enum"])) if "enum" in field else str(field.get("type", "object"))
    if "properties" in field:
        kind = "{" + ", ".join(field["properties"]) + "}"
    return name, kind, "required" if required else str(field.get("default", ""))


def _curl(path: str, base_url: str) -> str:
    example = {
        "/v1/query": '{"question": "…"}',
        "/v1/search": '{"query": "…"}',
        "/v1/verify": '{"text": "…"}',
        "/v1/chat/completions": '{"model": "nutgraf", "messages": [{"role": "user", "content": "…"}]}',
        "/v1/responses": '{"model": "nutgraf", "input": "…"}',
        "/v1/embeddings": '{"model": "nutgraf", "input": "…"}',
        "/v1/vector_stores/{collection}/search": '{"query": "…"}',
    }
    body = example.get(path, "{…}")
    return f"curl -s {base_url}{path} -H 'Content-Type: application/json' -d '{body}'"


def _errors() -> list[str]:
    lines = ["<h2>Errors</h2>", "<p>Every error is application/problem+json.</p>", "<table>"]
    for code, row in TABLE.items():
        cells = (code, str(row.status), row.detail, "worth a retry" if row.retryable else "")
        lines.append(
            f'<tr id="error-{code}">' + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        )
    return [*lines, "</table>"]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _page(title: str, body: Sequence[str]) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )
