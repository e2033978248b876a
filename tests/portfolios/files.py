"""Real files for tests: films made by PyAV, Word documents by python-docx, PDFs by reportlab and pikepdf."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from io import BytesIO
from itertools import zip_longest
from tempfile import NamedTemporaryFile
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import av
import docx
import pikepdf
from reportlab.pdfgen.canvas import Canvas

ODT = "application/vnd.oasis.opendocument.text"


@cache
def film(
    *,
    seconds: int = 6,
    size: tuple[int, int] = (160, 90),
    container: str = "mp4",
    codec: str = "libx264",
    picture: bool = True,
    sound: bool = True,
    faststart: bool = False,
) -> bytes:
    """A film of grey pictures, four a second, with a sound track on which nothing is heard; or with one of the two."""
    options = {"movflags": "faststart"} if faststart else {}
    with NamedTemporaryFile() as out:  # moving the index to the front needs a file of its own
        with av.open(out.name, "w", format=container, options=options) as film:
            tracks = [_pictures(film, seconds, size, codec)] if picture else []
            tracks += [_silence(film, seconds, "libopus" if container == "webm" else "aac")] if sound else []
            for packets in zip_longest(*tracks, fillvalue=[]):
                film.mux([packet for some in packets for packet in some])
        return out.read()


def _pictures(
    film: av.container.OutputContainer, seconds: int, size: tuple[int, int], codec: str
) -> Iterator[list[av.Packet]]:
    stream = film.add_stream(codec, rate=4)
    stream.width, stream.height, stream.pix_fmt = size[0], size[1], "yuv420p"
    return _encoded(stream, _greys(seconds, size))


def _greys(seconds: int, size: tuple[int, int]) -> Iterator[av.VideoFrame]:
    for number in range(seconds * 4):
        frame = av.VideoFrame(size[0], size[1], "yuv420p")
        for plane in frame.planes:
            plane.update(bytes([number * 10 % 256]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, 4)
        yield frame


def _silence(film: av.container.OutputContainer, seconds: int, codec: str) -> Iterator[list[av.Packet]]:
    return _encoded(film.add_stream(codec, rate=8000, layout="mono"), _nothing(seconds))


def _nothing(seconds: int) -> Iterator[av.AudioFrame]:
    for number in range(seconds * 8):
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1000)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate, frame.pts, frame.time_base = 8000, number * 1000, Fraction(1, 8000)
        yield frame


def _encoded(stream: Any, frames: Iterator[Any]) -> Iterator[list[av.Packet]]:
    for frame in frames:
        yield stream.encode(frame)
    yield stream.encode()


@cache
def word(*paragraphs: str) -> bytes:
    document, out = docx.Document(), BytesIO()
    for text in paragraphs or ("My commentary.",):
        document.add_paragraph(text)
    document.save(out)
    return out.getvalue()


@cache
def pdf(pages: int = 1, password: str = "") -> bytes:
    out = BytesIO()
    canvas = Canvas(out)
    for number in range(1, pages + 1):
        canvas.drawString(72, 720, f"Page {number}")
        canvas.showPage()
    canvas.save()
    return _locked(out, password) if password else out.getvalue()


def _locked(plain: BytesIO, password: str) -> bytes:
    out = BytesIO()
    plain.seek(0)
    with pikepdf.open(plain) as document:
        document.save(out, encryption=pikepdf.Encryption(user=password, owner=password))
    return out.getvalue()


def zipped(members: dict[str, bytes | str], packed: int = ZIP_DEFLATED) -> bytes:
    out = BytesIO()
    with ZipFile(out, "w", packed) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def odt(text: str = "My commentary.", packed: int = ZIP_DEFLATED) -> bytes:
    return zipped({"mimetype": ODT, "content.xml": f"<document><p>{text}</p></document>"}, packed)


def rezipped(archive: bytes, extra: dict[str, bytes | str]) -> bytes:
    """The same archive with members added or replaced."""
    with ZipFile(BytesIO(archive)) as old:
        members: dict[str, bytes | str] = {name: old.read(name) for name in old.namelist()}
    return zipped({**members, **extra})
