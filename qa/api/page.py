"""The plain pages: a document with an anchor at each paragraph, and the API's reference. No script, no other origin."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from index.types import DocumentInfo, StoredParagraph
from qa.api.errors import TABLE

STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}"
    "a.n{display:inline-block;min-width:2.5rem;color:#767676;font-size:.8rem;text-decoration:none}"
    "p,pre{white-space:pre-wrap;overflow-wrap:anywhere}"
    ":target{background:#ffe9a8;color:#000;outline:.4rem solid #ffe9a8}"
    "pre{border:1px solid #8888;padding:.6rem;font-size:.85rem}"
    "table{border-collapse:collapse}td,th{text-align:left;padding:.2rem .6rem;border-bottom:1px solid #8888}"
    "small{color:#767676}"
)

_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""The pages' Content-Security-Policy: this one style, and nothing else."""

_METHODS = ("get", "put", "post", "delete")


def document(info: DocumentInfo, paragraphs: Iterable[StoredParagraph]) -> str:
    """A document as HTML; paragraph 12 is the element `p12`."""
    title = info.title or info.path
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p><small>{escape(info.path)} · {escape(info.date or 'no date')}</small></p>",
    ]
    for stored in paragraphs:
        number = stored.paragraph.number
        body.append(f'<p id="p{number}"><a class="n" href="#p{number}">{number}</a>{escape(stored.text)}</p>')
    return _page(title, body)


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
