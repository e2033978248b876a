"""Pictures without what cameras and programs wrote into them: who, where, when, with what. The picture stays as it is.

JPEG (ITU-T T.81, annex B; EXIF 2.32) and PNG (RFC 2083, ch. 3). Bytes in, bytes out; anything else comes back as is.
"""

import struct
from collections.abc import Iterator

_JPEG, _PNG = b"\xff\xd8", b"\x89PNG\r\n\x1a\n"
_END_OF_IMAGE, _START_OF_SCAN = 0xD9, 0xDA
_ADOBE = 0xEE  # which colours it is in
_EXIF, _COLOURS, _JFIF = b"Exif\0\0", b"ICC_PROFILE", b"JFIF"
_ORIENTATION = 0x0112
_TELLING_CHUNKS = {b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME"}


def plain(body: bytes) -> bytes:
    """The same picture, telling nothing but itself. A turned photograph stays turned."""
    try:
        if body.startswith(_JPEG):
            return b"".join(_plain_jpeg(body))
        if body.startswith(_PNG):
            return _PNG + b"".join(_plain_png(body))
    except (struct.error, IndexError, ValueError):
        pass  # damaged; whoever wrote it did not get far
    return body


def _plain_jpeg(body: bytes) -> Iterator[bytes]:
    yield _JPEG
    for marker, segment in _segments(body):
        if segment[4:10] == _EXIF:
            yield _turned(_orientation(segment[10:]))
        elif not _is_telling(marker, segment[4:]):
            yield segment


def _segments(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Each with its marker, a scan with its data, up to the end of the image; what follows it is another file."""
    at = len(_JPEG)
    while at < len(body):
        if body[at] != 0xFF:
            raise ValueError("no segment here")
        marker = body[at + 1]
        if marker == _END_OF_IMAGE:
            yield marker, body[at : at + 2]
            return
        end = at + 2 + struct.unpack(">H", body[at + 2 : at + 4])[0]
        if marker == _START_OF_SCAN:
            end = _end_of_scan(body, end)
        yield marker, body[at:end]
        at = end


def _end_of_scan(body: bytes, at: int) -> int:
    """In the data of a scan a 0xFF is followed by 0 or by a restart marker; anything else begins a segment."""
    while (at := body.find(b"\xff", at)) >= 0:
        follower = body[at + 1 : at + 2]
        if follower and follower[0] != 0 and not 0xD0 <= follower[0] <= 0xD7:
            return at
        at += 2
    return len(body)


def _is_telling(marker: int, content: bytes) -> bool:
    is_for_programs = 0xE0 <= marker <= 0xEF or marker == 0xFE
    is_needed = marker == _ADOBE or content.startswith((_JFIF, _COLOURS))
    return is_for_programs and not is_needed


def _orientation(tiff: bytes) -> int:
    order = "<" if tiff.startswith(b"II") else ">"
    start = struct.unpack(order + "I", tiff[4:8])[0]
    count = struct.unpack(order + "H", tiff[start : start + 2])[0]
    for number in range(count):
        at = start + 2 + 12 * number
        if struct.unpack(order + "H", tiff[at : at + 2])[0] == _ORIENTATION:
            return int(struct.unpack(order + "H", tiff[at + 8 : at + 10])[0])
    return 1


def _turned(orientation: int) -> bytes:
    """An EXIF that says which way is up, and nothing else."""
    if orientation == 1:
        return b""
    tiff = b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, _ORIENTATION, 3, 1, orientation, 0, 0)
    return b"\xff\xe1" + struct.pack(">H", 2 + len(_EXIF) + len(tiff)) + _EXIF + tiff


def _plain_png(body: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at < len(body):
        length, kind = struct.unpack(">I4s", body[at : at + 8])
        end = at + 12 + length
        if kind not in _TELLING_CHUNKS:
            yield body[at:end]
        if kind == b"IEND":
            return
        at = end
