"""Which kind of file it is, by its first bytes. Comes before any parser: parsers are where files attack. Pure."""

from typing import BinaryIO

HEAD = 64
MOST_BOXES = 100_000  # an hour in fragments of a tenth of a second has fewer
# The demuxer is forced: left to guess, it would also open playlists that name other files and addresses.
DEMUXER = {"mov": "mov,mp4,m4a,3gp,3g2,mj2", "matroska": "matroska"}

# ISO base media files begin with a box; these are the boxes seen first in files from cameras and programs.
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"}
_STILL_IMAGES = {b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"crx "}
_FILM = {b"moov", b"moof", b"mdat"}
_EBML = b"\x1a\x45\xdf\xa3"
# Office's older container: Word files of before 2007, and protected ones of any year.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_FAMILY = {
    ".pdf": "pdf",
    ".docx": "zip",
    ".odt": "zip",
    ".mp4": "mov",
    ".m4v": "mov",
    ".mov": "mov",
    ".mkv": "matroska",
    ".webm": "matroska",
}


def family(head: bytes) -> str:
    """ "pdf", "zip", "mov", "matroska", "ole", or "" for anything else; `head` is the first HEAD bytes."""
    if head.startswith(b"%PDF-"):
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(_EBML):
        return "matroska"
    if head.startswith(_OLE):
        return "ole"
    is_box = len(head) >= 12 and head[4:8] in _FIRST_BOXES
    is_still = head[4:8] == b"ftyp" and head[8:12] in _STILL_IMAGES
    return "mov" if is_box and not is_still else ""


def expected(extension: str) -> str:
    """The family that files with this extension (".pdf") belong to."""
    return _FAMILY[extension]


def breaks_off(file: BinaryIO) -> bool:
    """Whether the last box of a "mov" is longer than the file. Fragments say nowhere how many more should follow.

    Only of boxes that hold the film: cameras append what they like.
    """
    end, place = file.seek(0, 2), 0
    for _ in range(MOST_BOXES):
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[8:16] if head[:4] == b"\0\0\0\1" else head[:4])
        if place + length > end:
            return head[4:8] in _FILM
        if length < 8:  # the end, or a box that says it lasts to the end
            return False
        place += length
    return False
