"""Word and OpenDocument: every part is looked at by what it is, wherever in the archive it stands."""

from collections.abc import Callable
from io import BytesIO
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from lxml import etree

from portfolios.checking import pictures, tracked_changes, xml
from portfolios.checking.zips import is_xml

SOMEBODY, INITIAL = "Author", "A"
LONG_AGO = (1980, 1, 1, 0, 0, 0)
NOWHERE = "about:blank"

# Small pictures of the first page, signatures (void by now, and they name who signed), versions of before.
_LEFT_OUT = ("docProps/thumbnail", "Thumbnails/", "_xmlsignatures/", "META-INF/documentsignatures", "Version")
# Other documents, with authors of their own. Their picture stands beside them in the document.
_EMPTIED = ("word/embeddings/", "word/activeX/")
_PICTURES = ("word/media/", "Pictures/", "media/")
_LEFT_OUT_RELATIONS = ("/thumbnail", "/digital-signature/origin", "/attachedTemplate")
_PROPERTIES = {"coreProperties", "Properties", "people", "meta"}
# Where the writer's own files lie, and what a mail merge would fill in.
_SETTINGS = {"attachedTemplate", "mailMerge", "saveThroughXslt", "docVars"}
_PRINTER = {"PrinterName", "PrinterSetup", "CurrentDatabaseDataSource"}
_LINKS = ("http://", "https://", "mailto:", "#")
_ODF_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_CUSTOM = "customXml/item"


def without(file: BinaryIO) -> bytes:
    out = BytesIO()
    with ZipFile(file) as archive, ZipFile(out, "w") as clean:
        for member in archive.infolist():
            if not member.filename.startswith(_LEFT_OUT):
                # OpenDocument knows itself by a first member that is not packed.
                packed = ZIP_STORED if member.filename == "mimetype" else ZIP_DEFLATED
                clean.writestr(ZipInfo(member.filename, LONG_AGO), _cleaned(archive, member.filename), packed)
    return out.getvalue()


def _cleaned(archive: ZipFile, name: str) -> bytes:
    if name.startswith(_EMPTIED) and not is_xml(name):
        return b""
    body = archive.read(name)
    if is_xml(name):
        return _cleaned_xml(name, body)
    return pictures.plain(body) if name.startswith(_PICTURES) else body


def _cleaned_xml(name: str, body: bytes) -> bytes:
    tree = xml.tree(BytesIO(body))
    root = tree.getroot()
    if name.startswith(_CUSTOM) and "Props" not in name:  # what programs beside Word keep in it
        _empty(root)
    tracked_changes.accept(root)
    for element in list(root.iter()):
        _clean(element)
    found: bytes = etree.tostring(tree, xml_declaration=True, encoding="UTF-8", standalone=True)
    return found


def _clean(element: Any) -> None:
    name, space = etree.QName(element).localname, etree.QName(element).namespace or ""
    if name in _PROPERTIES:
        _empty(element)
    elif name in _SETTINGS:
        _take_out(element)
    elif rule := _RULES.get(name):
        rule(element)
    elif space == _ODF_TEXT and (name.startswith("sender-") or name in _FIELDS):
        _empty(element)
    _clean_attributes(element, name)


def _clean_attributes(element: Any, name: str) -> None:
    for key in element.attrib:
        attribute = etree.QName(key).localname
        if attribute in _PERSONS:
            element.set(key, _PERSONS[attribute])
        elif attribute == "href" and _leads_astray(element.get(key), is_link=name == "a"):
            element.set(key, NOWHERE)


def _leads_astray(target: str, *, is_link: bool) -> bool:
    """A link may lead into the web; what is shown in place (pictures, frames) would tell its server who reads."""
    lies_elsewhere = ":" in target.partition("/")[0] or target.startswith(("/", "\\", ".."))
    return lies_elsewhere and not (is_link and target.startswith(_LINKS))


def _relation(element: Any) -> None:
    if element.get("Type", "").endswith(_LEFT_OUT_RELATIONS):
        _take_out(element)
    elif element.get("TargetMode") == "External":
        is_link = element.get("Type", "").endswith("/hyperlink")
        if not (is_link and element.get("Target", "").startswith(_LINKS)):
            element.set("Target", NOWHERE)


def _override(element: Any) -> None:
    if element.get("PartName", "").lstrip("/").startswith(_LEFT_OUT):
        _take_out(element)


def _file_entry(element: Any) -> None:
    if any(value.startswith(_LEFT_OUT) for value in element.attrib.values()):
        _take_out(element)


def _printer(element: Any) -> None:
    if any(value in _PRINTER for value in element.attrib.values()):
        element.text = ""


def _somebody(element: Any) -> None:
    element.text = SOMEBODY


def _initial(element: Any) -> None:
    element.text = INITIAL


# Attributes that name a person, and what they say instead.
_PERSONS = {"author": SOMEBODY, "initials": INITIAL, "userId": SOMEBODY, "provider-id": SOMEBODY}
# Fields of OpenDocument that show the author in the text; Word's are text like any other once they are shown.
_FIELDS = {"initial-creator", "author-name", "author-initials", "printed-by"}
_RULES: dict[str, Callable[[Any], None]] = {
    "Relationship": _relation,
    "Override": _override,
    "file-entry": _file_entry,
    "config-item": _printer,
    "creator": _somebody,
    "creator-initials": _initial,
    "sender-initials": _initial,
}


def _empty(element: Any) -> None:
    for child in list(element):
        element.remove(child)
    element.text = None


def _take_out(element: Any) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)
