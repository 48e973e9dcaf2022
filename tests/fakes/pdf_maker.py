"""PDF files made from scratch, sound and damaged ones: what a test puts on a page is all that is on it."""

import zlib
from collections.abc import Sequence

FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold", "F3": "Times-Roman"}


def shown(x: float, y: float, words: str, *, size: float = 10, font: str = "F1", before: str = "") -> str:
    """The operators that put words at a place; `before` sets a colour or a render mode."""
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    return f"BT {before} /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({escaped}) Tj ET"


def column(x: float, y: float, lines: Sequence[str], *, size: float = 10, leading: float = 12) -> list[str]:
    return [shown(x, y - leading * n, line, size=size) for n, line in enumerate(lines)]


def pdf(
    pages: Sequence[Sequence[str]],
    *,
    info: str = "",
    catalog: str = "",
    trailer: str = "",
    extra: Sequence[bytes] = (),
    resources: str = "",
    filters: str = "",
    encode: object = None,
) -> bytes:
    """A file with these pages, each a list of operators. `extra` objects are numbered from 3."""
    first_page = 4 + len(extra) + len(FONTS)
    kids = " ".join(f"{first_page + 2 * n} 0 R" for n in range(len(pages)))
    fonts = " ".join(f"/{name} {3 + len(extra) + n} 0 R" for n, name in enumerate(FONTS))
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>".encode(),
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        *extra,
        *(
            f"<< /Type /Font /Subtype /Type1 /BaseFont /{base} /Encoding /WinAnsiEncoding >>".encode()
            for base in FONTS.values()
        ),
        f"<< {info} >>".encode("latin-1"),
    ]
    for n, operators in enumerate(pages):
        content = "\n".join(operators).encode("cp1252")
        body = encode(content) if callable(encode) else content
        head = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {first_page + 2 * n + 1} 0 R "
            f"/Resources << /Font << {fonts} >> {resources} >> >>"
        )
        objects += [head.encode(), stream(body, filters)]
    return assembled(objects, f"/Info {first_page - 1} 0 R {trailer}")


def stream(body: bytes, entries: str = "") -> bytes:
    return b"<< /Length %d %s >>\nstream\n%s\nendstream" % (len(body), entries.encode(), body)


def flate(body: bytes) -> bytes:
    return zlib.compress(body, 9)


def assembled(objects: Sequence[bytes], trailer: str = "") -> bytes:
    """Numbered objects as a file, with a table of their places."""
    out = bytearray(b"%PDF-1.7\n")
    places: list[int] = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer.encode())
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)
