"""The text of a document as its readers meet it, passage by passage."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pikepdf
import pypdf
from lxml import etree

from portfolios.checking import xml
from portfolios.checking.naming import Passage
from portfolios.checking.zips import BODY

# The parts of a Word file that hold text beside the body, by what their names begin with, and how their place is said.
_BESIDE = {
    "word/header": "in the header",
    "word/footer": "in the footer",
    "word/footnotes": "in a footnote",
    "word/endnotes": "in an endnote",
    "word/comments": "in a comment",
    "word/charts/": "in a chart",
    "word/diagrams/data": "in a diagram",
    "styles.xml": "in the header or footer",
}
_PARAGRAPHS = {"p", "h"}
_TEXTS = {"t", "instrText"}
_GAPS = {"tab", "br", "cr", "s", "line-break"}
_APART = {
    "p",
    "h",
    "note",
    "annotation",
    "creator",
    "creator-initials",
    "date",
}  # stand within a paragraph, and are none of it
_DESCRIPTIONS = ("descr", "title")


def passages(body: bytes, extension: str) -> Iterator[Passage]:
    """Of a sound document: the pages of a PDF, the paragraphs of the others, then what stands beside them."""
    return _pages(body) if extension == ".pdf" else _paragraphs(body, BODY[extension])


def _pages(body: bytes) -> Iterator[Passage]:
    for number, page in enumerate(pypdf.PdfReader(BytesIO(body)).pages, start=1):
        yield Passage(f"on page {number}", page.extract_text())
    with pikepdf.open(BytesIO(body)) as pdf:
        for number, sheet in enumerate(pdf.pages, start=1):
            yield Passage(f"on page {number}", "\n".join(_written_on(sheet)))


def _written_on(page: Any) -> Iterator[str]:
    """What was typed into fields and notes, which is not part of the page itself, and where links lead."""
    for note in page.obj.get("/Annots", []):
        for holder in (note, note.get("/Parent"), note.get("/A")):
            if isinstance(holder, pikepdf.Dictionary):
                yield from (str(holder[key]) for key in ("/Contents", "/V", "/URI") if key in holder)


def _paragraphs(body: bytes, main: str) -> Iterator[Passage]:
    with ZipFile(BytesIO(body)) as archive:
        names = archive.namelist()
        for number, text in enumerate(_texts(archive, main), start=1):
            yield Passage(f"in paragraph {number}", text)
        for name in names:
            place = next((place for start, place in _BESIDE.items() if name.startswith(start)), None)
            if place and name.endswith(".xml"):
                yield from (Passage(place, text) for text in _texts(archive, name))
        for name in names:
            if name.endswith("document.xml.rels"):
                yield Passage("in a link", "\n".join(_targets(archive, name)))


def _texts(archive: ZipFile, name: str) -> Iterator[str]:
    with archive.open(name) as stream:
        root = xml.tree(stream).getroot()
    for element in root.iter():
        if etree.QName(element).localname in _PARAGRAPHS and (text := " ".join("".join(_pieces(element)).split())):
            yield text


def _pieces(paragraph: Any) -> Iterator[str]:
    """OpenDocument's text stands in the paragraph and between its parts, Word's in elements of their own."""
    is_word = "opendocument" not in (etree.QName(paragraph).namespace or "")
    for event, element in etree.iterwalk(paragraph, events=("start", "end")):
        if etree.QName(element).localname in _APART:
            yield " "
        if event == "start":
            yield from _begins(element, is_word=is_word)
        elif not is_word and element is not paragraph:
            yield element.tail or ""


def _begins(element: Any, *, is_word: bool) -> Iterator[str]:
    name = etree.QName(element).localname
    if name in _GAPS:
        yield " "
    if not is_word or name in _TEXTS:
        yield element.text or ""
    yield from (f" {element.get(key)} " for key in _DESCRIPTIONS if element.get(key))


def _targets(archive: ZipFile, name: str) -> Iterator[str]:
    with archive.open(name) as stream:
        for relation in xml.tree(stream).getroot():
            if relation.get("TargetMode") == "External":
                yield relation.get("Target", "")
