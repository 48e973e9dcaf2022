"""Text of a page that no reader sees, by its markup and its own style sheets."""

import re
from typing import Any

# What hides an element, in a declaration without blanks.
_HIDING = re.compile(
    r"""(?xi)(?:^|;)(?:display:none|visibility:(?:hidden|collapse)|opacity:0?\.?0*(?=;|!|$)|content-visibility:hidden
    |font-size:0(?:\.0*)?(?:px|pt|em|rem|%)?(?=;|!|$)|text-indent:-\d{3,}|(?:left|top|right|bottom|margin-left):-\d{4,}
    |clip:rect\((?:0|1)(?:px)?|clip-path:(?:inset\((?:50|100)%|circle\(0)|transform:scale\(0(?:\)|,0))"""
)
_SIZED_AWAY = re.compile(r"(?i)(?:^|;)(?:max-)?(?:height|width):[01](?:px)?(?=;|!|$)")
_CLIPPED = re.compile(r"(?i)overflow(?:-[xy])?:(?:hidden|clip)")
_WHITE_TEXT = re.compile(
    r"(?i)(?:^|;)color:(?:white|#fff(?:fff)?\b|#f[cdef]f[cdef]f[cdef]\b|rgba?\(255,255,255|transparent)"
)
_BACKGROUND = re.compile(r"(?i)(?:^|;)background(?:-color|-image)?:(?!white|#fff\b|#ffffff|transparent|none)")
_RULE = re.compile(r"([^{}@;]{1,300})\{([^{}]{1,2000})\}")
_AT_BLOCK = re.compile(
    r"@(?:media|supports|font-face|keyframes|-webkit-keyframes|page|layer|container)[^{};]{0,300}"
    r"\{(?:[^{}]{0,5000}\{[^{}]{0,5000}\}){0,500}[^{}]{0,5000}\}"
)
_SIMPLE = re.compile(r"\A([a-z][a-z0-9]*)?(?:([.#])([\w-]+))?\Z", re.IGNORECASE)
_MOST_CSS = 200_000


class Hidden:
    """Tells hidden elements of one page, and counts the words in them."""

    def __init__(self, root: Any) -> None:
        self.words = 0
        css = "".join(style.text or "" for style in root.iter("style"))[:_MOST_CSS]
        self._rules = frozenset(_hiding_selectors(css))

    def hides(self, element: Any) -> bool:
        """Whether an element is hidden by itself (not by what it stands in)."""
        if not (_is_marked(element) or self._by_rule(element) or _by_style(element)):
            return False
        self.words += len(" ".join(element.itertext()).split())
        return True

    def _by_rule(self, element: Any) -> bool:
        if not self._rules:
            return False
        tag = element.tag
        names = [f".{name}" for name in (element.get("class") or "").split()]
        names += [f"#{element.get('id')}"] if element.get("id") else []
        return any(name in self._rules or f"{tag}{name}" in self._rules for name in names)


def _is_marked(element: Any) -> bool:
    return element.get("hidden") is not None or (element.get("aria-hidden") or "").lower() == "true"


def _by_style(element: Any) -> bool:
    given = element.get("style")
    return bool(given) and _declares_hiding(given, element)


def _declares_hiding(given: str, element: Any) -> bool:
    style = re.sub(r"\s+|/\*.*?\*/", "", given[:2000])
    if _HIDING.search(style) or (_SIZED_AWAY.search(style) and _CLIPPED.search(style)):
        return True
    if not _WHITE_TEXT.search(style):
        return False
    # white text is hidden only where nothing darker lies behind it
    return not any(map(_may_be_dark, (element, *element.iterancestors())))


def _may_be_dark(element: Any) -> bool:
    style = re.sub(r"\s+", "", (element.get("style") or "")[:2000])
    return bool(_BACKGROUND.search(style) or element.get("bgcolor") or element.get("class"))


def _hiding_selectors(css: str) -> list[str]:
    """The plain selectors (.name, #name, tag.name) that a style sheet hides on every screen."""
    found: list[str] = []
    for selectors, declarations in _RULE.findall(
        _AT_BLOCK.sub("", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    ):
        style = re.sub(r"\s+", "", declarations)
        if _HIDING.search(style) or (_SIZED_AWAY.search(style) and _CLIPPED.search(style)):
            found += [
                selector.strip() for selector in selectors.split(",") if _SIMPLE.match(selector.strip())
            ]
    return [selector for selector in found if selector[:1] in ".#" or "." in selector or "#" in selector]
