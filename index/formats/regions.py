"""The parts of a page: where its main text stands, what is furniture, and which tables hold data."""

import re
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from index.formats.hidden import Hidden

_FURNITURE_TAGS = frozenset({"nav", "aside", "footer", "form", "dialog", "menu", "search"})
_FURNITURE_ROLES = frozenset(
    "navigation banner contentinfo complementary search dialog alertdialog menu menubar toolbar".split()
)
_FURNITURE_NAMES = re.compile(
    r"""(?xi)(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|footer|sidebar|cookies?|consent|gdpr|newsletter|share|sharing
    |social|related|recommended|comments?|disqus|promo|advert(?:isement)?s?|ads?|sponsored|subscribe|subscription|paywall|banner
    |masthead|skip-?link|toolbar|popup|modal|pagination|pager|tags|widget|trending|most-?read|byline-social|site-?header|topbar)(?:$|[\s_-])"""
)
_NEVER = frozenset({"html", "body", "main", "article", "p", "table", "tbody", "tr", "td", "th", "h1"})
_MAIN_SHARE = 0.25
_MAIN_LENGTH = 200
_LONGEST_NAMES = 300


class Regions:
    """What the parts of one page are."""

    def __init__(self, root: Any) -> None:
        self._mains = _mains(root)
        self._around = {ancestor for main in self._mains for ancestor in main.iterancestors()}
        self._data: dict[Any, bool] = {}

    def is_furniture(self, element: Any) -> bool:
        """Whether what stands in an element is the page's and not the text's."""
        tag = element.tag
        if element in self._around or element in self._mains:
            return False
        if element.getparent() in self._around:
            return True  # beside the main text, not in it
        if tag in _FURNITURE_TAGS or (element.get("role") or "").lower() in _FURNITURE_ROLES:
            return True
        if tag == "header":
            return not self._mains and not any(
                above.tag in {"article", "main"} for above in element.iterancestors()
            )
        if tag in _NEVER:
            return False
        names = f"{element.get('class') or ''} {element.get('id') or ''}"[:_LONGEST_NAMES]
        return bool(_FURNITURE_NAMES.search(names))

    def is_data(self, table: Any) -> bool:
        """Whether a table holds values and not the page's layout."""
        if table not in self._data:
            self._data[table] = _is_data(table)
        return self._data[table]

    def rows(self, table: Any, hidden: Hidden) -> Iterator[str]:
        """The rows of a data table as "Header: value; Header: value"; the caption comes first."""
        for caption in table.iter("caption"):
            yield _text(caption)
        headers: list[str] = []
        for row in table.iter("tr"):
            cells = [cell for cell in row if cell.tag in {"td", "th"}]
            if any(hidden.hides(part) for part in (row, *cells)):
                continue
            values = [_text(cell) for cell in cells]
            if not headers and cells and all(cell.tag == "th" for cell in cells):
                headers = values
            else:
                yield joined(headers, values)


def joined(headers: list[str], values: list[str]) -> str:
    """The values of a row, each behind the name of its column where it has one."""
    pairs = zip_longest(headers[: len(values)], values, fillvalue="")
    return "; ".join(
        f"{name}: {value}" if name and name != value else value for name, value in pairs if value
    )


def _mains(root: Any) -> set[Any]:
    """The elements that hold the page's main text; none where it does not say so."""
    for found in (
        [e for e in root.iter() if e.tag == "main" or e.get("role") == "main"],
        list(root.iter("article")),
    ):
        outer = {element for element in found if not any(above in found for above in element.iterancestors())}
        length = sum(len(element.text_content()) for element in outer)
        if length >= _MAIN_LENGTH and length >= _MAIN_SHARE * _seen_length(root):
            return outer
    return set()


def _seen_length(root: Any) -> int:
    unseen = sum(len(element.text_content()) for element in root.iter("script", "style", "nav", "footer"))
    return max(0, len(root.text_content()) - unseen)


def _is_data(table: Any) -> bool:
    if table.get("role") == "presentation" or next(table.iterdescendants("table"), None) is not None:
        return False
    rows = [sum(1 for cell in row if cell.tag in {"td", "th"}) for row in table.iter("tr")]
    blocks = sum(1 for _ in table.iter("p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "form"))
    return len(rows) > 1 and max(rows) > 1 and blocks <= sum(rows)


def _text(element: Any) -> str:
    return " ".join(" ".join(element.itertext()).split())
