"""Changes that a word processor tracked, accepted: what its writer took out is gone, what they put in stays. Pure."""

from typing import Any

from lxml import etree

_WORD = {
    "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
    "http://purl.oclc.org/ooxml/wordprocessingml/main",
}
_ODF_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_TAKEN_OUT = {"del", "moveFrom", "tracked-changes", "change", "change-start", "change-end"}
_PUT_IN = {"ins", "moveTo"}
_MARKS = ("RangeStart", "RangeEnd")
_MARKED = ("customXmlIns", "customXmlDel", "customXmlMoveFrom", "customXmlMoveTo", "moveFrom", "moveTo")
# What the looks, the numbering and the cells of a table were before.
_BEFORE = ("rPrChange", "pPrChange", "sectPrChange", "tblPrChange", "tblPrExChange", "trPrChange", "tcPrChange")
_NOTED = {*_BEFORE, "tblGridChange", "numberingChange", "cellIns", "cellMerge"}


def accept(root: Any) -> None:
    """In one part of a Word or OpenDocument file."""
    for paragraph in _marked(root, "p", "pPr/rPr"):
        _join_with_next(paragraph)
    for row in _marked(root, "tr", "trPr"):
        _take_out_row(row)
    for cell in [mark.getparent().getparent() for mark in root.iter() if _name(mark) == "cellDel"]:
        _take_out(cell)
    for element in list(root.iter()):
        name = _name(element)
        if name in _PUT_IN:
            _unwrap(element)
        elif name in _TAKEN_OUT or name in _NOTED or (name.startswith(_MARKED) and name.endswith(_MARKS)):
            _take_out(element)


def _name(element: Any) -> str:
    """ "" for what is no part of the text."""
    name = etree.QName(element)
    is_text = name.namespace in _WORD or (name.namespace == _ODF_TEXT and "change" in name.localname)
    return name.localname if is_text else ""


def _marked(root: Any, wanted: str, path: str) -> list[Any]:
    """The paragraphs or rows whose own mark was taken out; what they hold is told apart."""
    return [one for one in root.iter() if _name(one) == wanted and _is_taken_out(one, path.split("/"))]


def _is_taken_out(element: Any, path: list[str]) -> bool:
    for name in path:
        element = next((child for child in element if _name(child) == name), None)
        if element is None:
            return False
    return any(_name(child) in ("del", "moveFrom") for child in element)


def _take_out_row(row: Any) -> None:
    table = row.getparent()
    _take_out(row)
    if not any(_name(child) == "tr" for child in table):
        _take_out(table)


def _join_with_next(paragraph: Any) -> None:
    """A paragraph without its end goes on in the one behind it, where there is one."""
    following = paragraph.getnext()
    if following is None or _name(following) != "p":
        return
    place = 1 if len(following) and _name(following[0]) == "pPr" else 0
    following[place:place] = [child for child in paragraph if _name(child) != "pPr"]
    _take_out(paragraph)


def _unwrap(element: Any) -> None:
    parent = element.getparent()
    place = parent.index(element)
    parent[place:place] = list(element)
    _take_out(element)


def _take_out(element: Any) -> None:
    """What stands behind it in the text stays."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if element.tail and before is None:
        parent.text = (parent.text or "") + element.tail
    elif element.tail:
        before.tail = (before.tail or "") + element.tail
    parent.remove(element)
