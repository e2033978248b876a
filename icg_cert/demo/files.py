"""Small real files for the demo: Word documents, PDFs and films that play, each naming what it stands for."""

from array import array
from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from io import BytesIO
from math import pi, sin
from tempfile import NamedTemporaryFile
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import av
from PIL import Image, ImageDraw, ImageFont

from icg_cert.lib import pdf
from portfolios.models import Requirement

SIZE = (480, 270)
PER_SECOND = 5
SECONDS = 30
RATE = 16_000
PIECE = RATE // PER_SECOND
VOICES = (130, 210)  # hertz
PAPER, INK, ACCENT = "#FBFAF6", "#1C2430", "#0F5E63"
PARAGRAPHS = [
    "This is a document of the demonstration. Nobody wrote it about anybody; it is here so that there is something to "
    "open, to read and to judge.",
    "The teacher wanted more students to join the discussion. We agreed on a measure both of us could take: how many "
    "students speak in ten minutes. On three days it was six, seven and six of twenty-four.",
    "The teacher chose the strategy, I explained it with the checklist, and we changed two of its lines so that they "
    "fit her class. After two weeks it was fifteen, and she knew what she wanted to try next.",
]
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
    '.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONSHIPS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def for_requirement(requirement: Requirement) -> tuple[str, bytes]:
    """A file name and the bytes of a file that is good for this requirement."""
    if requirement.kind == Requirement.Kind.VIDEO:
        return f"{requirement.key}.mp4", film(requirement.title)
    if requirement.kind == Requirement.Kind.FORM:
        return f"{requirement.key}.docx", word_document(requirement.title)
    return f"{requirement.key}.pdf", pdf_document(requirement.title)


@cache
def pdf_document(title: str) -> bytes:
    """One page with a title and a few paragraphs."""
    return pdf.render("demo_document.typ", {"title": title, "paragraphs": PARAGRAPHS})


@cache
def word_document(title: str) -> bytes:
    """The same as a .docx: the three members a word processor cannot do without."""
    lines = "".join(f"<w:p><w:r><w:t>{escape(text)}</w:t></w:r></w:p>" for text in (title, *PARAGRAPHS))
    body = f'<w:document xmlns:w="{WORD}"><w:body>{lines}</w:body></w:document>'
    members = {"[Content_Types].xml": TYPES, "_rels/.rels": RELATIONSHIPS, "word/document.xml": body}
    out = BytesIO()
    with ZipFile(out, "w", ZIP_DEFLATED) as archive:
        for name, xml in members.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>{xml}')
    return out.getvalue()


@cache
def film(title: str) -> bytes:
    """An MP4 of half a minute: the title, a running clock, and two people as circles who take turns and hum."""
    with NamedTemporaryFile() as out:  # moving the index to the front needs a file of its own
        with av.open(out.name, "w", format="mp4", options={"movflags": "faststart"}) as container:
            options = {"preset": "ultrafast", "crf": "30", "g": str(4 * PER_SECOND)}
            picture = container.add_stream("libx264", rate=PER_SECOND, options=options)
            picture.width, picture.height, picture.pix_fmt = *SIZE, "yuv420p"
            sound = container.add_stream("aac", rate=RATE, layout="mono")
            for seen, heard in zip(_pictures(title), _sounds(), strict=True):
                container.mux([*picture.encode(seen), *sound.encode(heard)])
            container.mux(picture.encode())
            container.mux(sound.encode())
        return out.read()


def _pictures(title: str) -> Iterator[av.VideoFrame]:
    """Only what moves is drawn anew."""
    words, clock = ImageFont.load_default(size=18), ImageFont.load_default(size=34)
    ground = Image.new("RGB", SIZE, PAPER)
    ImageDraw.Draw(ground).text((SIZE[0] // 2, 34), title, fill=INK, font=words, anchor="mm")
    for number in range(SECONDS * PER_SECOND):
        picture, second = ground.copy(), number // PER_SECOND
        draw = ImageDraw.Draw(picture)
        for person, x in enumerate((160, 320)):
            speaks = person == _speaker(second)
            reach = 40 + 6 * (speaks and number % 2)
            draw.ellipse((x - reach, 130 - reach, x + reach, 130 + reach), fill=ACCENT if speaks else INK)
        draw.text((SIZE[0] // 2, 226), f"0:{second:02d}", fill=INK, font=clock, anchor="mm")
        draw.rectangle((0, SIZE[1] - 8, SIZE[0] * (number + 1) // (SECONDS * PER_SECOND), SIZE[1]), fill=ACCENT)
        frame = av.VideoFrame.from_image(picture)
        frame.pts, frame.time_base = number, Fraction(1, PER_SECOND)
        yield frame


def _sounds() -> Iterator[av.AudioFrame]:
    """As many pieces as pictures, so that both travel side by side."""
    voices = [_syllable(pitch) for pitch in VOICES]
    for number in range(SECONDS * PER_SECOND):
        is_pause = number % 5 == 4
        samples = array("f", bytes(4 * PIECE)) if is_pause else voices[_speaker(number // PER_SECOND)]
        frame = av.AudioFrame(format="fltp", layout="mono", samples=PIECE)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * PIECE, Fraction(1, RATE)
        yield frame


@cache
def _syllable(pitch: int) -> "array[float]":
    """One "ah" that swells and fades, with two overtones."""
    turns = [2 * pi * pitch * place / RATE for place in range(PIECE)]
    swell = [sin(pi * place / PIECE) for place in range(PIECE)]
    tone = ((sin(turn) + sin(2 * turn) / 2 + sin(3 * turn) / 4) / 8 for turn in turns)
    return array("f", (loud * value for loud, value in zip(swell, tone, strict=True)))


def _speaker(second: int) -> int:
    return second // 3 % 2
