"""Nothing of whoever made a document is left in its clean copy, and all that they wrote is."""

import re
from io import BytesIO
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import docx
import pikepdf
import pytest
from PIL import Image

from portfolios.checking import author_data, pdfs, pictures, zips
from portfolios.checking.finding import Finding
from tests.portfolios import files, papers

TELLING = re.compile(rb"abara|A\0b\0a\0r\0a|GPS", re.IGNORECASE)
OF_ADA = [(".docx", papers.word_of_ada), (".odt", papers.odt_of_ada), (".pdf", papers.pdf_of_ada)]


KEPT = ["META-INF/manifest.xml", "Pictures/photo.jpg", "content.xml", "meta.xml", "settings.xml"]


def clean(body: bytes, extension: str) -> bytes:
    return author_data.without(BytesIO(body), extension)


@pytest.mark.parametrize(("extension", "make"), OF_ADA)
def test_byte_search_finds_nothing_of_the_author(extension: str, make: Any) -> None:
    body = make()
    assert len(TELLING.findall(papers.laid_open(body))) >= 10
    assert TELLING.findall(papers.laid_open(clean(body, extension))) == []


@pytest.mark.parametrize(("extension", "make"), OF_ADA)
def test_clean_copy_is_sound_and_its_own_clean_copy(extension: str, make: Any) -> None:
    once = clean(make(), extension)
    sound = pdfs.check(BytesIO(once), 9) if extension == ".pdf" else zips.check(BytesIO(once), extension)
    assert sound == Finding(pages=1 if extension == ".pdf" else None)
    assert clean(once, extension) == once


def test_words_and_comments_of_word_stay() -> None:
    body = clean(papers.word_of_ada(), ".docx")
    document = docx.Document(BytesIO(body))
    assert [paragraph.text for paragraph in document.paragraphs][:1] == ["My commentary."]
    assert [(note.author, note.initials, note.text) for note in document.comments] == [("Author", "A", "Well said.")]
    with ZipFile(BytesIO(body)) as archive:
        text, names = archive.read("word/document.xml").decode(), archive.namelist()
        relations = archive.read("_rels/.rels").decode() + archive.read("word/_rels/settings.xml.rels").decode()
    assert ("Put in." in text, "Taken out." in text, "w:ins" in text, "w:del" in text) == (True, False, False, False)
    assert "word/embeddings/book.xlsx" in names
    assert not any("thumbnail" in name or "signature" in name for name in names)
    assert "thumbnail" not in relations
    assert "attachedTemplate" not in relations
    assert (document.core_properties.author, len(document.inline_shapes)) == ("", 2)


def test_words_comments_and_links_of_opendocument_stay() -> None:
    with ZipFile(BytesIO(clean(papers.odt_of_ada(), ".odt"))) as archive:
        first, text = archive.infolist()[0], archive.read("content.xml").decode()
        names, manifest = archive.namelist(), archive.read("META-INF/manifest.xml").decode()
    assert (first.filename, first.compress_type) == ("mimetype", ZIP_STORED)
    assert all(
        part in text
        for part in ("My commentary.", "Well said.", " with one more<", " and more", "https://example.org/")
    )
    assert re.findall(r"<dc:creator>(.*?)<", text) == ["Author"]
    assert "Taken out." not in text
    assert re.findall(r'image xlink:href="(.*?)"', text) == ["Pictures/photo.jpg", "about:blank"]
    assert names == [
        "mimetype",
        "content.xml",
        "meta.xml",
        "settings.xml",
        "META-INF/manifest.xml",
        "Pictures/photo.jpg",
    ]
    assert "Thumbnails" not in manifest


def test_notes_fields_and_pictures_of_a_pdf_stay() -> None:
    with pikepdf.open(BytesIO(clean(papers.pdf_of_ada(), ".pdf"))) as pdf:
        note, field, signature = pdf.pages[0].Annots
        picture = pdf.pages[0].Resources.XObject.Im1
        assert (str(note.Contents), str(field.T), str(field.V)) == ("Well said.", "question", "An answer")
        assert ("/T" in note, "/V" in signature, "/Info" in pdf.trailer) == (False, False, False)
        assert Image.open(BytesIO(picture.read_raw_bytes())).size == (8, 4)


def test_clean_copy_of_a_restricted_pdf_is_open() -> None:
    with pikepdf.open(BytesIO(clean(papers.locked_for_printing(), ".pdf"))) as pdf:
        assert (pdf.is_encrypted, len(pdf.pages)) == (False, 1)


def test_what_is_shown_in_place_is_not_fetched_from_elsewhere() -> None:
    """Else the candidate's own server would learn who reads, and when."""
    relations = (
        f"<Relationships {papers.RELATIONS}>"
        f"<Relationship Id='rId8' Type='{papers.KINDS}/image' Target='https://spy.example.org' TargetMode='External'/>"
        f"<Relationship Id='rId9' Type='{papers.KINDS}/hyperlink' Target='https://read.it/' TargetMode='External'/>"
        f"<Relationship Id='rId7' Type='{papers.KINDS}/hyperlink' Target='file:///C:/me' TargetMode='External'/>"
        "</Relationships>"
    )
    body = files.rezipped(files.word(), {"word/_rels/document.xml.rels": relations})
    with ZipFile(BytesIO(clean(body, ".docx"))) as archive:
        said = archive.read("word/_rels/document.xml.rels").decode()
    assert re.findall(r'Target="(.*?)"', said) == ["about:blank", "https://read.it/", "about:blank"]


# ---- Pictures


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_photograph_stays_the_same_and_the_same_way_up(orientation: int) -> None:
    before, after = papers.photograph(orientation), pictures.plain(papers.photograph(orientation))
    assert TELLING.search(before)
    assert not TELLING.search(after)
    with Image.open(BytesIO(before)) as old, Image.open(BytesIO(after)) as new:
        assert (new.getexif().get(0x0112, 1), new.tobytes()) == (orientation, old.tobytes())
        assert set(new.getexif()) <= {0x0112}


def test_drawing_stays_the_same() -> None:
    before, after = papers.drawing(), pictures.plain(papers.drawing())
    with Image.open(BytesIO(before)) as old, Image.open(BytesIO(after)) as new:
        assert new.tobytes() == old.tobytes()
    assert after == pictures.plain(after)
    assert b"tEXt" in before
    assert not any(kind in after for kind in (b"tEXt", b"iTXt", b"Abara"))


@pytest.mark.parametrize(
    "body", [b"", b"GIF89a", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8garbage", b"\x89PNG\r\n\x1a\nx"]
)
def test_what_is_no_whole_picture_comes_back_or_is_less(body: bytes) -> None:
    assert body.startswith(pictures.plain(body)[:2])
