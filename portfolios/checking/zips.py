"""Word and OpenDocument files: zip archives of XML. Guarded against bombs, traversal, macros and foreign content."""

from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812  zlib names it like a function

from portfolios.checking import xml
from portfolios.checking.finding import Finding, Unusable

MOST_MEMBERS = 2000
MOST_INFLATED = 200 * 1024 * 1024
MOST_XML = 64 * 1024 * 1024
CHUNK = 64 * 1024
BODY = {".docx": "word/document.xml", ".odt": "content.xml"}
ODT_TYPE = b"application/vnd.oasis.opendocument.text"
ENCRYPTED_BIT = 0x1
PACKED = {ZIP_STORED, ZIP_DEFLATED}  # what these formats know; other packers fail in ways of their own
CONTENT_TYPES = "[Content_Types].xml"
MANIFEST = "META-INF/manifest.xml"

DAMAGED = (
    "damaged",
    "This document is damaged and cannot be opened. Save it again from your word processor, and upload that.",
)
NOT_A_DOCUMENT = (
    "wrong-content",
    "This file is not the kind of document that its name says. Open it in your word processor, save it as DOCX, ODT "
    "or PDF, and upload that.",
)
ENCRYPTED = ("encrypted", "This document is protected by a password. Save a copy without one, and upload that.")
OLD_OR_ENCRYPTED = (
    "encrypted",
    "This document is protected by a password, or is of the old Word format. Take the password away, save it as DOCX, "
    "ODT or PDF, and upload that.",
)
TOO_MUCH_INSIDE = (
    "too-large-inside",
    "This document unpacks to far more than a document holds. Export it as PDF, and upload that.",
)
MACROS = ("macros", "This document contains macros. Save it as a plain DOCX or as PDF, and upload that.")


def check(file: BinaryIO, extension: str) -> Finding:
    """Unusable unless it is a sound .docx or .odt. Pages are not counted: what these formats say of them is wrong."""
    try:
        with ZipFile(file) as archive:
            _refuse_bad_members(archive.infolist())
            _refuse_bomb(archive)
            _refuse_encrypted(archive)
            _refuse_bad_xml(archive)
            _refuse_foreign(archive, extension)
    except xml.Forbidden as error:
        raise Unusable(*NOT_A_DOCUMENT) from error
    except xml.TooMuch as error:
        raise Unusable(*TOO_MUCH_INSIDE) from error
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, xml.Broken, ValueError) as error:
        raise Unusable(*DAMAGED) from error
    return Finding()


def is_xml(name: str) -> bool:
    return name.endswith((".xml", ".rels"))


def _refuse_bad_members(members: list[ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_INFLATED:
        raise Unusable(*TOO_MUCH_INSIDE)
    if len({member.filename for member in members}) < len(members):  # which of two would a reader take?
        raise Unusable(*DAMAGED)
    for member in members:
        _refuse_bad_member(member)


def _refuse_bad_member(member: ZipInfo) -> None:
    name = member.filename
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise Unusable(*NOT_A_DOCUMENT)
    if member.flag_bits & ENCRYPTED_BIT:
        raise Unusable(*ENCRYPTED)
    if member.compress_type not in PACKED:
        raise Unusable(*DAMAGED)
    if "vbaproject" in name.lower() or name.startswith(("Basic/", "Scripts/")):
        raise Unusable(*MACROS)
    if is_xml(name) and member.file_size > MOST_XML:
        raise Unusable(*TOO_MUCH_INSIDE)


def _refuse_bomb(archive: ZipFile) -> None:
    """Sizes in the directory may lie, so every member is really inflated, into nothing, and counted."""
    inflated = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK):
                inflated += len(chunk)
                if inflated > MOST_INFLATED:
                    raise Unusable(*TOO_MUCH_INSIDE)


def _refuse_encrypted(archive: ZipFile) -> None:
    """OpenDocument's own way: the parts stand there in cipher, and the list of parts says so."""
    names = set(archive.namelist())
    if "encrypted-package" in names or (MANIFEST in names and b"encryption-data" in archive.read(MANIFEST)):
        raise Unusable(*ENCRYPTED)


def _refuse_bad_xml(archive: ZipFile) -> None:
    """All of it, not the body alone: a word processor reads every part, and so do we when we clean them."""
    for name in archive.namelist():
        if is_xml(name):
            with archive.open(name) as stream:
                xml.refuse(stream)
            with archive.open(name) as stream:
                xml.tree(stream)  # which minds more, and is what the document is cleaned as


def _refuse_foreign(archive: ZipFile, extension: str) -> None:
    names = set(archive.namelist())
    if BODY[extension] not in names:
        raise Unusable(*NOT_A_DOCUMENT)
    if extension == ".docx":
        _refuse_other_office(archive, names)
    elif "mimetype" not in names or archive.read("mimetype").strip() != ODT_TYPE:
        raise Unusable(*NOT_A_DOCUMENT)


def _refuse_other_office(archive: ZipFile, names: set[str]) -> None:
    if CONTENT_TYPES not in names:
        raise Unusable(*NOT_A_DOCUMENT)
    with archive.open(CONTENT_TYPES) as stream:
        types = [kind for part in xml.tree(stream).iter() for kind in part.attrib.values()]
    if any("macroEnabled" in kind for kind in types):
        raise Unusable(*MACROS)
