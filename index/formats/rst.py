"""reStructuredText: sections, paragraphs, lists, tables and code as docutils sees them."""

import io
from typing import Any

from docutils import nodes
from docutils.core import publish_doctree

from index.encoding import decoded
from index.formats.build import Builder
from index.formats.regions import joined
from index.formats.sound import iso_day

# No file is read, nothing raw is let through, no configuration is looked for, problems are not printed.
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 6,
    "warning_stream": io.StringIO(),
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
    "smart_quotes": False,
    "syntax_highlight": "none",
    "line_length_limit": 1_000_000,
    "input_encoding": "unicode",
}
_UNSEEN = (
    nodes.comment, nodes.system_message, nodes.target, nodes.substitution_definition, nodes.raw, nodes.pending,
    nodes.meta,
)  # fmt: skip
_CODE = (nodes.literal_block, nodes.doctest_block)
_LEAVES = (
    *_CODE, nodes.paragraph, nodes.line_block, nodes.math_block, nodes.term, nodes.rubric, nodes.attribution,
    nodes.caption,
)  # fmt: skip


def parse(data: bytes, out: Builder, kind: str) -> None:
    """Add the paragraphs of a document; directives that would read files or insert raw markup do nothing."""
    del kind
    text, notes = decoded(data)
    for note in notes:
        out.note(note)
    tree = publish_doctree(text, settings_overrides=_SETTINGS)
    _children(tree, 0, out)


def _children(parent: Any, level: int, out: Builder, *, item: bool = False) -> None:
    for node in parent.children:
        if isinstance(node, nodes.title):
            _title(node, parent, level, out)
        elif isinstance(node, nodes.section):
            _children(node, level + 1, out)
        elif isinstance(node, nodes.Element) and not isinstance(node, _UNSEEN):
            _element(node, level, out, item=item)


def _element(node: Any, level: int, out: Builder, *, item: bool) -> None:
    if isinstance(node, _LEAVES):
        code = isinstance(node, _CODE)
        out.add(node.astext(), "list_item" if item and not code else "text", indented=code)
    elif isinstance(node, nodes.table):
        _table(node, out)
    elif isinstance(node, nodes.field_list):
        _fields(node, out)
    elif isinstance(node, nodes.list_item | nodes.definition_list_item) and _is_short(node):
        out.add(": ".join(child.astext() for child in node.children), "list_item")
    else:
        _children(node, level, out, item=item or isinstance(node, nodes.list_item))


def _title(node: Any, parent: Any, level: int, out: Builder) -> None:
    if isinstance(parent, nodes.section):
        out.heading(node.astext(), level)
        out.title = out.title or " ".join(node.astext().split())
    else:  # of a table, an admonition or a topic
        out.add(node.astext())


def _is_short(node: Any) -> bool:
    """Whether an item is one paragraph, or a term with one definition."""
    inside = list(
        node.findall(lambda one: isinstance(one, nodes.paragraph | nodes.literal_block | nodes.table))
    )
    return len(inside) == 1 and isinstance(inside[0], nodes.paragraph)


def _fields(fields: Any, out: Builder) -> None:
    """Add fields as "Name: text"; one that is called date gives the document's."""
    for field in fields.children:
        if isinstance(field, nodes.field):
            name, text = (child.astext() for child in field.children[:2])
            out.add(f"{name}: {text}")
            if name.lower() in {"date", "published"} and out.date is None:
                out.date = iso_day(text)


def _table(table: Any, out: Builder) -> None:
    headers: list[str] = []
    first = True
    for title in table.findall(nodes.title):
        out.add(title.astext())
    for row in table.findall(nodes.row):
        values = [" ".join(cell.astext().split()) for cell in row.children]
        if isinstance(row.parent, nodes.thead):
            headers = values
        else:
            out.add(joined(headers, values), "row", tight=not first)
            first = False
