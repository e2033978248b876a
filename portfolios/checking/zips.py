"""Word and OpenDocument files: zip archives of XML. Guarded against bombs, traversal, macros and foreign content."""

from typing import BinaryIO
from xml.etree.ElementTree import ParseError
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError  # noqa: N812  zlib names it like a function

from defusedxml import DefusedXmlException, ElementTree

from portfolios.checking.finding import Finding, Unusable

MOST_MEMBERS = 2000
MOST_INFLATED = 200 * 1024 * 1024
MOST_XML = 64 * 1024 * 1024
CHUNK = 64 * 1024
BODY = {".docx": "word/document.xml", ".odt": "content.xml"}
ODT_TYPE = b"application/vnd.oasis.opendocument.text"
ENCRYPTED_BIT = 0x1
PACKED = {ZIP_STORED, ZIP_DEFLATED}  # what these formats know; other packers fail in ways of their own

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
            _refuse_foreign(archive, extension)
    except DefusedXmlException as error:  # a ValueError, too
        raise Unusable(*NOT_A_DOCUMENT) from error
    except (BadZipFile, ZlibError, EOFError, NotImplementedError, ParseError, ValueError) as error:
        raise Unusable(*DAMAGED) from error
    return Finding()


def _refuse_bad_members(members: list[ZipInfo]) -> None:
    if len(members) > MOST_MEMBERS or sum(member.file_size for member in members) > MOST_INFLATED:
        raise Unusable(*TOO_MUCH_INSIDE)
    for member in members:
        name = member.filename
        if name.startswith("/") or "\\" in name or ".." in name.split("/"):
            raise Unusable(*NOT_A_DOCUMENT)
        if member.flag_bits & ENCRYPTED_BIT:
            raise Unusable(*ENCRYPTED)
        if member.compress_type not in PACKED:
            raise Unusable(*DAMAGED)
        if "vbaproject" in name.lower() or name.startswith(("Basic/", "Scripts/")):
            raise Unusable(*MACROS)


def _refuse_bomb(archive: ZipFile) -> None:
    """Sizes in the directory may lie, so every member is really inflated, into nothing, and counted."""
    inflated = 0
    for member in archive.infolist():
        with archive.open(member) as stream:
            while chunk := stream.read(CHUNK):
                inflated += len(chunk)
                if inflated > MOST_INFLATED:
                    raise Unusable(*TOO_MUCH_INSIDE)


def _refuse_foreign(archive: ZipFile, extension: str) -> None:
    names = set(archive.namelist())
    if BODY[extension] not in names or archive.getinfo(BODY[extension]).file_size > MOST_XML:
        raise Unusable(*NOT_A_DOCUMENT)
    if extension == ".docx":
        _refuse_other_office(archive, names)
    elif "mimetype" not in names or archive.read("mimetype").strip() != ODT_TYPE:
        raise Unusable(*(ENCRYPTED if "encrypted-package" in names else NOT_A_DOCUMENT))
    ElementTree.fromstring(archive.read(BODY[extension]), forbid_dtd=True)


def _refuse_other_office(archive: ZipFile, names: set[str]) -> None:
    if "[Content_Types].xml" not in names:
        raise Unusable(*NOT_A_DOCUMENT)
    types = archive.read("[Content_Types].xml")
    ElementTree.fromstring(types, forbid_dtd=True)
    if b"macroEnabled" in types:
        raise Unusable(*MACROS)
