"""Small real files for the demo: Word documents, PDFs and films that play, each naming what it stands for."""

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from io import BytesIO
from tempfile import NamedTemporaryFile
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZipFile

import av
from PIL import Image, ImageDraw, ImageFont

from icg_cert.lib import pdf
from portfolios.models import Requirement

SIZE = (320, 180)
PER_SECOND = 4
SECONDS = 10
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
    """An MP4 (H.264) of a few seconds: the title, a running clock, and two people as circles who take turns."""
    with NamedTemporaryFile() as out:  # moving the index to the front needs a file of its own
        with av.open(out.name, "w", format="mp4", options={"movflags": "faststart"}) as container:
            stream = container.add_stream("libx264", rate=PER_SECOND, options={"preset": "ultrafast", "crf": "30"})
            stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
            for number, picture in enumerate(_pictures(title)):
                frame = av.VideoFrame.from_image(picture)
                frame.pts, frame.time_base = number, Fraction(1, PER_SECOND)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        return out.read()


def _pictures(title: str) -> Iterator[Image.Image]:
    font = ImageFont.load_default(size=14)
    for number in range(SECONDS * PER_SECOND):
        picture = Image.new("RGB", SIZE, PAPER)
        draw = ImageDraw.Draw(picture)
        speaks = number // (2 * PER_SECOND) % 2
        for person, x in enumerate((105, 215)):
            grown = 4 if person == speaks and number % 2 else 0
            draw.ellipse(
                (x - 26 - grown, 64 - grown, x + 26 + grown, 116 + grown), fill=ACCENT if person == speaks else INK
            )
        draw.text((160, 28), title, fill=INK, font=font, anchor="mm")
        draw.text((160, 156), f"Demonstration · 0:{number // PER_SECOND:02d}", fill=INK, font=font, anchor="mm")
        yield picture
