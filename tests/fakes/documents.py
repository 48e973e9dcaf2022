"""Documents of the zipped and the mailed kinds, made from scratch so that a test can put anything in them."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from email.message import EmailMessage
from xml.sax.saxutils import escape

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
_MAIN = "application/vnd.openxmlformats-officedocument."


def zipped(entries: Mapping[str, bytes | str], *, zip64: bool = False, stored: Sequence[str] = ()) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            data = content.encode() if isinstance(content, str) else content
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=zip64) as entry:
                entry.write(data)
    return out.getvalue()


def _package(main: str, kind: str) -> dict[str, bytes | str]:
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_TYPES}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
            f'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="bin" '
            f'ContentType="application/octet-stream"/><Override PartName="/{main}" ContentType="{kind}"/></Types>'
        ),
        "_rels/.rels": (
            f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="{main}"/>'
            "</Relationships>"
        ),
    }


def docx(
    words: str,
    *,
    body: str | None = None,
    prolog: str = "",
    extra: Mapping[str, bytes] = {},
    macro: bool = False,
    zip64: bool = False,
) -> bytes:
    """A Word document of one paragraph, or of the XML in `body`; `prolog` stands before its root."""
    kind = (
        "application/vnd.ms-word.document.macroEnabled.main+xml"
        if macro
        else f"{_MAIN}wordprocessingml.document.main+xml"
    )
    text = words if words.startswith("&") else escape(words.strip())
    inner = f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>" if body is None else body
    document = (
        f'<?xml version="1.0"?>{prolog}<w:document xmlns:w="{_W}"><w:body>{inner}</w:body></w:document>'
    )
    entries = _package("word/document.xml", kind) | {"word/document.xml": document} | dict(extra)
    return zipped(entries, zip64=zip64, stored=["word/document.xml"] if body is None else [])


def pptx(lines: Sequence[str], *, extra: Mapping[str, bytes] = {}) -> bytes:
    """A presentation whose slides have one line of text each."""
    from pptx import Presentation

    made = Presentation()
    for line in lines:
        made.slides.add_slide(made.slide_layouts[1]).placeholders[1].text = line
    out = io.BytesIO()
    made.save(out)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in extra.items():
            archive.writestr(name, data)
    return out.getvalue()


def xlsx(rows: str, *, dimension: str = "A1") -> bytes:
    """A workbook of one sheet with the given XML of its rows."""
    sheet = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    entries = _package("xl/workbook.xml", f"{_MAIN}spreadsheetml.sheet.main+xml")
    types = str(entries["[Content_Types].xml"])
    part = f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_MAIN}spreadsheetml.worksheet+xml"/></Types>'
    return zipped(
        entries
        | {
            "[Content_Types].xml": types.replace("</Types>", part),
            "xl/workbook.xml": f'<workbook xmlns="{sheet}" xmlns:r="{_OFFICE}"><sheets><sheet name="Budget" sheetId="1" '
            'r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" '
            f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{sheet}"><dimension ref="{dimension}"/><sheetData>{rows}'
            "</sheetData></worksheet>",
        }
    )


def epub(
    words: str,
    *,
    prolog: str = "",
    extra: Mapping[str, bytes] = {},
    chapters: Mapping[str, str] = {},
    items: str = "",
) -> bytes:
    """A book of one chapter of one paragraph, or of several chapters given as the XML of their bodies."""
    bodies = dict(chapters) or {"c1.xhtml": f"<h1>One</h1><p>{words}</p>"}
    items += "".join(
        f'<item id="i{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(bodies)
    )
    spine = "".join(f'<itemref idref="i{n}"/>' for n in range(len(bodies)))
    container = "urn:oasis:names:tc:opendocument:xmlns:container"
    entries: dict[str, bytes | str] = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": f'<container xmlns="{container}"><rootfiles><rootfile full-path="b.opf"/></rootfiles>'
        "</container>",
        "b.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
        f"<dc:title>Sea Tales</dc:title><dc:date>1998-03-02</dc:date></metadata><manifest>{items}</manifest>"
        f"<spine>{spine}</spine></package>",
    }
    for name, body in bodies.items():
        entries[name] = (
            f'<?xml version="1.0"?>{prolog}<html xmlns="http://www.w3.org/1999/xhtml"><body>{body}</body></html>'
        )
    return zipped(entries | dict(extra))


def eml(words: str, *, nested: int = 0, **headers: str) -> bytes:
    """A message; with `nested`, one that holds a message that holds a message, and so on."""
    return bytes(_message(words, nested, 0, headers))


def _message(words: str, nested: int, level: int, headers: Mapping[str, str]) -> EmailMessage:
    made = EmailMessage()
    given = {
        "From": "Ann <ann@example.org>",
        "To": "bob@example.org",
        "Date": "Fri, 17 May 2024 10:00:00 +0200",
    }
    for name, value in {**given, "Subject": f"level {level}", **headers}.items():
        made[name] = value
    made.set_content(words)
    if nested:
        made.add_attachment(_message(words, nested - 1, level + 1, {}))
    return made
