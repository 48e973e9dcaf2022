"""The web page's own files: a fixed list, read once, under an address that says what they hold."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from types import MappingProxyType

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "app.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml",
        **dict.fromkeys(
            (
                "again.js", "answer.js", "api.js", "ask.js", "collections.js", "copy.js", "documents.js", "dom.js",
                "history.js", "key.js", "source.js", "text.js", "upload.js",
            ),
            "text/javascript; charset=utf-8",
        ),
    }
)  # fmt: skip
"""Every file that is served, with its media type; nothing else can be named."""

VIEWS: Mapping[str, str] = MappingProxyType(
    {"/": "Ask", "/documents": "Documents", "/evaluation": "Evaluation"}
)
"""The views that every page leads to."""

LOCKED_VIEWS: Mapping[str, str] = MappingProxyType({**VIEWS, "/session": "Key"})
"""The same where a key is needed."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The Content-Security-Policy of a view: our own files and API, and no way from text to markup."""

STILL_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The same for a page that runs no script at all."""


SIGN_IN_POLICY = STILL_POLICY.replace("form-action 'none'", "form-action 'self'")
"""The same for the form that takes the key."""

SIGN_IN_SCRIPT_POLICY = SIGN_IN_POLICY.replace(
    "default-src 'none';", "default-src 'none'; script-src 'self';"
)
"""The same where a script may press its button."""


@dataclass(frozen=True, slots=True)
class Site:
    """The files by name, also compressed, and the one address part that changes when any of them does."""

    release: str
    assets: Mapping[str, bytes]
    packed: Mapping[str, bytes]
    mains: Mapping[str, str]
    views: Mapping[str, str]

    @classmethod
    def load(cls, *, locked: bool = False) -> "Site":
        """Read the files out of the installed package; `locked` where a key is needed."""
        folder = files("qa") / "web"
        assets = {name: (folder / name).read_bytes() for name in MEDIA_TYPES}
        mains = {
            name: (folder / f"{name}.html").read_text(encoding="utf-8") for name in ("index", "documents")
        }
        whole = b"".join(name.encode() + b"\0" + body + b"\0" for name, body in sorted(assets.items()))
        return cls(
            hashlib.sha256(whole).hexdigest()[:16],
            MappingProxyType(assets),
            MappingProxyType({name: gzip.compress(body, mtime=0) for name, body in assets.items()}),
            MappingProxyType(mains),
            LOCKED_VIEWS if locked else VIEWS,
        )

    def address(self, name: str) -> str:
        """Where a file is served."""
        return f"/static/{self.release}/{name}"

    def page(self, title: str, main: str, *, view: str = "", script: str = "", head: str = "") -> str:
        """A whole page around its main part, which is markup, as is `head`; the title is text."""
        parts = [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f"<title>{escape(title)}</title>",
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f'<link rel="icon" type="image/svg+xml" href="{self.address("icon.svg")}">',
            f'<link rel="stylesheet" href="{self.address("app.css")}">',
            *self._scripts(script),
            f"{head}</head><body>",
        ]
        return "".join(parts) + self._header(view) + main + "</body></html>\n"

    def _scripts(self, script: str) -> list[str]:
        if not script:
            return []
        # Named up front, so that the browser need not find one module inside another.
        needed = [name for name in MEDIA_TYPES if f"./{name}".encode() in self._with_imports(script)]
        preloads = [f'<link rel="modulepreload" href="{self.address(name)}">' for name in needed]
        return [*preloads, f'<script type="module" src="{self.address(script)}"></script>']

    def _with_imports(self, script: str) -> bytes:
        found, text = {script}, self.assets[script]
        while new := {name for name in MEDIA_TYPES if f"./{name}".encode() in text} - found:
            found |= new
            text += b"".join(self.assets[name] for name in new)
        return text

    def _header(self, view: str) -> str:
        links = "".join(
            f'<a href="{path}"{_current(path == view)}>{escape(name)}</a>'
            for path, name in self.views.items()
        )
        return (
            '<a class="skip" href="#main">Skip to the content</a>'
            f'<header class="top"><a class="wordmark" href="/" translate="no">Nutgraf</a>'
            f'<nav aria-label="Views">{links}</nav></header>'
        )


def _current(yes: bool) -> str:
    return ' aria-current="page"' if yes else ""
