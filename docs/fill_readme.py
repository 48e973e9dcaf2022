"""Write the generated parts of README.md again: `python docs/fill_readme.py`."""

from pathlib import Path

from qa.settings import settings_table

README = Path(__file__).resolve().parent.parent / "README.md"


def filled(text: str, marker: str, content: str) -> str:
    """The text with what stands between a marker and its end replaced."""
    head, rest = text.split(f"<!-- {marker} -->\n", 1)
    _, tail = rest.split(f"<!-- /{marker} -->", 1)
    return f"{head}<!-- {marker} -->\n{content}<!-- /{marker} -->{tail}"


if __name__ == "__main__":
    README.write_text(
        filled(README.read_text(encoding="utf-8"), "settings", settings_table()), encoding="utf-8"
    )
