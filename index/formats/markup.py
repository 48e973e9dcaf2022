"""XML from a stranger, parsed with everything off that could reach beyond it."""

from lxml import etree

from index.errors import RejectedError


def xml_root(data: bytes) -> etree._Element:
    """The root element.

    Raises:
        RejectedError: `damaged` or `xml_entities`.
    """
    if b"<!ENTITY" in data.replace(b"\0", b""):
        raise RejectedError("xml_entities", "the file defines entities")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise RejectedError("damaged", f"not well-formed XML: {error.msg}") from error
