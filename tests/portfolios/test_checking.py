"""What the check says of real files, good and bad, by their bytes alone."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from random import Random
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZipFile

import pytest

from portfolios.checking import author_data, containers, pdfs, videos, xml, zips
from portfolios.checking.finding import Finding, Unusable
from tests.portfolios import files, papers

FRAME_MAX = (4096, 2304)


def probe(body: bytes, family: str = "mov", max_ms: int | None = 60_000) -> Finding:
    return videos.check(BytesIO(body), family, max_ms=max_ms, min_ms=5000, frame_max=FRAME_MAX)


def half(body: bytes) -> bytes:
    return body[: len(body) // 2]


def refusal(check: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Unusable) as caught:
        check(*args, **kwargs)  # type: ignore[operator]
    assert caught.value.words.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    ("body", "family"),
    [
        (files.pdf(), "pdf"),
        (files.word(), "zip"),
        (files.odt(), "zip"),
        (files.film(), "mov"),
        (files.film(container="mov"), "mov"),
        (files.film(container="matroska"), "matroska"),
        (b"\x89PNG\r\n\x1a\n" + bytes(60), ""),
        (b"\xff\xd8\xff\xe0" + bytes(60), ""),
        (b"#EXTM3U\nhttp://example.org/film.ts", ""),
        (b"ffconcat version 1.0\nfile /etc/passwd", ""),
        (b"\0\0\0\x18ftypheic" + bytes(60), ""),
        (bytes(64), ""),
        (b"", ""),
        (b"MZ\x90", ""),
        (papers.OLE, "ole"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_family_is_told_by_the_first_bytes(body: bytes, family: str) -> None:
    assert containers.family(body[: containers.HEAD]) == family


def test_pdf_is_counted() -> None:
    assert pdfs.check(BytesIO(files.pdf(3)), 3) == Finding(pages=3)


@pytest.mark.media_case(40)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (files.pdf(4), "too-many-pages"),
        (files.pdf(1, password="secret"), "encrypted"),
        (files.pdf(3)[:700], "damaged"),
        (b"%PDF-1.7 and nothing else", "damaged"),
        (half(files.pdf(12)), "damaged"),
        (papers.locked_for_printing(), "encrypted"),
        (papers.pdf_with(OpenAction=papers.action(S="/JavaScript", JS="app.alert(1)")), "scripts"),
        (papers.pdf_with(AA=papers.action(WC=papers.action(S="/JavaScript", JS="app.alert(1)"))), "scripts"),
        (papers.pdf_with(AcroForm=papers.action(XFA="<xdp/>")), "scripts"),
        (papers.pdf_with(OpenAction=papers.action(S="/Launch", F="calc.exe")), "starts-programs"),
        (papers.pdf_with_an_attachment(), "files-inside"),
        (papers.pdf_with_a_note(Subtype="/FileAttachment"), "files-inside"),
        (papers.pdf_with_a_note(A=papers.action(S="/SubmitForm", F="http://example.org")), "starts-programs"),
        (papers.pdf_with_a_note(A=papers.action(S="/JavaScript", JS="app.alert(1)")), "scripts"),
    ],
)
def test_pdf_that_cannot_be_used(body: bytes, code: str) -> None:
    assert refusal(pdfs.check, BytesIO(body), 3) == code


def test_pdf_may_have_links_bookmarks_and_notes() -> None:
    link = papers.action(S="/URI", URI="https://example.org")
    assert pdfs.check(BytesIO(papers.pdf_with_a_note(Subtype="/Link", A=link)), 3) == Finding(pages=1)
    assert pdfs.check(BytesIO(papers.pdf_with_a_note(Contents="Well said.")), 3) == Finding(pages=1)
    assert pdfs.check(BytesIO(papers.pdf_with(OpenAction=papers.action(S="/GoTo", D="top"))), 3) == Finding(pages=1)


def test_word_and_opendocument_are_taken() -> None:
    assert zips.check(BytesIO(files.word("One.", "Two.")), ".docx") == Finding()
    assert zips.check(BytesIO(files.odt()), ".odt") == Finding()


BOMB = "<!DOCTYPE b [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><document>&b;</document>"


ENCIPHERED = {"META-INF/manifest.xml": "<manifest:encryption-data/>", "content.xml": b"\x8f\x01"}
MACRO_TYPE = "<Types><Override ContentType='application/vnd.ms-word.document.macroEnabled.main+xml'/></Types>"


@pytest.mark.media_case(40)
@pytest.mark.parametrize(
    ("body", "extension", "code"),
    [
        (files.zipped({"holiday.txt": "sun"}), ".docx", "wrong-content"),
        (files.odt(), ".docx", "wrong-content"),
        (files.word(), ".odt", "wrong-content"),
        (files.word()[:2000], ".docx", "damaged"),
        (files.rezipped(files.word(), {"word/vbaProject.bin": b"x"}), ".docx", "macros"),
        (files.rezipped(files.odt(), {"Basic/Standard/Module1.xml": "<x/>"}), ".odt", "macros"),
        (files.rezipped(files.odt(), {"../../etc/passwd": "x"}), ".odt", "wrong-content"),
        (files.rezipped(files.odt(), {"/etc/passwd": "x"}), ".odt", "wrong-content"),
        (files.rezipped(files.odt(), {"content.xml": BOMB}), ".odt", "wrong-content"),
        (files.rezipped(files.odt(), {"content.xml": "<document>"}), ".odt", "damaged"),
        (files.rezipped(files.odt(), {f"n{n}": "" for n in range(2000)}), ".odt", "too-large-inside"),
        (files.rezipped(files.odt(), {"big": bytes(zips.MOST_INFLATED + 1)}), ".odt", "too-large-inside"),
        (files.rezipped(files.odt(), {"styles.xml": BOMB}), ".odt", "wrong-content"),
        (files.rezipped(files.word(), {"word/styles.xml": BOMB}), ".docx", "wrong-content"),
        (files.rezipped(files.word(), {"word/styles.xml": "<w:styles>"}), ".docx", "damaged"),
        (files.rezipped(files.word(), {"word/styles.xml": "<no:space/>"}), ".docx", "damaged"),
        (files.rezipped(files.word(), {"word/styles.xml": b"<d>\xc3</d>"}), ".docx", "damaged"),
        (files.rezipped(files.odt(), {"styles.xml": b" " * (zips.MOST_XML + 1)}), ".odt", "too-large-inside"),
        (
            files.rezipped(files.word(), {"word/more.xml": f"<d>{'<p/>' * xml.MOST_NODES}</d>"}),
            ".docx",
            "too-large-inside",
        ),
        (files.rezipped(files.odt(), ENCIPHERED), ".odt", "encrypted"),
        (files.rezipped(files.odt(), {"encrypted-package": b"\x8f"}), ".odt", "encrypted"),
        (files.rezipped(files.word(), {"[Content_Types].xml": MACRO_TYPE}), ".docx", "macros"),
        (files.rezipped(files.word(), {"[Content_Types].xml": MACRO_TYPE.encode("utf-16")}), ".docx", "macros"),
        (papers.with_a_password(files.word()), ".docx", "encrypted"),
        (papers.with_two_of(files.odt(), "content.xml"), ".odt", "damaged"),
        (files.odt(packed=ZIP_BZIP2), ".odt", "damaged"),
    ],
)
def test_document_that_cannot_be_used(body: bytes, extension: str, code: str) -> None:
    assert refusal(zips.check, BytesIO(body), extension) == code


@pytest.mark.media_case(40)
def test_bomb_that_lies_of_its_size_is_still_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The directory says 10 bytes each time; what comes out is what counts."""
    monkeypatch.setattr(zips, "MOST_INFLATED", 1000)
    body = files.rezipped(files.odt(), {"big": bytes(2000)})
    assert body.count((2000).to_bytes(4, "little")) == 2
    lying = body.replace((2000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert refusal(zips.check, BytesIO(lying), ".odt") in ("too-large-inside", "damaged")


@pytest.mark.parametrize(
    ("container", "family", "codec"),
    [
        ("mp4", "mov", "libx264"),
        ("mov", "mov", "libx264"),
        ("matroska", "matroska", "libx264"),
        ("webm", "matroska", "libvpx-vp9"),
    ],
)
def test_video_is_measured(container: str, family: str, codec: str) -> None:
    found = probe(files.film(container=container, codec=codec), family)
    assert (found.duration_ms, found.width, found.height) == (6000, 160, 90)
    assert found.poster.startswith(b"\xff\xd8\xff")


def test_video_may_last_to_the_millisecond() -> None:
    assert probe(files.film(), max_ms=6000).duration_ms == 6000
    assert refusal(probe, files.film(), max_ms=5999) == "too-long"


@pytest.mark.parametrize(
    ("body", "family", "code"),
    [
        (files.film(picture=False), "mov", "no-picture"),
        (files.film(seconds=2), "mov", "too-short"),
        (files.film(size=(4098, 64)), "mov", "frame-too-large"),
        (files.film()[:-600], "mov", "damaged"),
        (half(files.film(seconds=20, faststart=True)), "mov", "damaged"),
        (half(files.film(seconds=20, container="matroska")), "matroska", "damaged"),
        (files.film()[:32] + bytes(5000), "mov", "damaged"),
        (files.film(container="matroska"), "mov", "damaged"),
    ],
)
def test_video_that_cannot_be_used(body: bytes, family: str, code: str) -> None:
    assert refusal(probe, body, family) == code


def test_clock_says_minutes_and_seconds() -> None:
    assert [videos.clock(ms) for ms in (0, 59_499, 425_000, 4_020_000)] == ["0:00", "0:59", "7:05", "67:00"]


def damaged(whole: bytes, dice: Random) -> bytes:
    """The file with a few bytes changed, now and then cut off as well."""
    body = bytearray(whole)
    for _ in range(dice.randint(1, 6)):
        body[dice.randrange(len(body))] = dice.randrange(256)
    return bytes(body[: dice.randrange(len(body))] if dice.random() < 0.2 else body)


def with_a_damaged_part(archive: bytes, dice: Random) -> bytes:
    """Whole as an archive; one of its parts is not what it was."""
    with ZipFile(BytesIO(archive)) as whole:
        name = dice.choice(whole.namelist())
        return files.rezipped(archive, {name: damaged(whole.read(name) or b" ", dice)})


@pytest.mark.parametrize(
    ("make", "extension"), [(papers.word_of_ada, ".docx"), (papers.odt_of_ada, ".odt"), (papers.pdf_of_ada, ".pdf")]
)
def test_what_is_found_sound_can_be_cleaned(make: Callable[[], bytes], extension: str) -> None:
    whole, dice = make(), Random(extension)
    for _ in range(200):
        body = damaged(whole, dice) if extension == ".pdf" else with_a_damaged_part(whole, dice)
        with suppress(Unusable):
            _ = pdfs.check(BytesIO(body), 9) if extension == ".pdf" else zips.check(BytesIO(body), extension)
            author_data.without(BytesIO(body), extension)


@pytest.mark.parametrize(
    ("look", "whole", "times"),
    [
        (lambda file: zips.check(file, ".docx"), files.word("One.", "Two."), 500),
        (lambda file: zips.check(file, ".odt"), files.odt(), 500),
        (lambda file: zips.check(file, ".odt"), files.odt(packed=ZIP_BZIP2), 50),
        (lambda file: zips.check(file, ".odt"), files.odt(packed=ZIP_LZMA), 50),
        (lambda file: pdfs.check(file, 100), files.pdf(2), 2000),
        (lambda file: probe(file.read()), files.film(), 200),
    ],
    ids=["docx", "odt", "bzip2", "lzma", "pdf", "film"],
)
def test_damage_is_told_and_never_an_error_of_ours(
    look: Callable[[BytesIO], Finding], whole: bytes, times: int
) -> None:
    """An error of ours counts as handed in after three tries, so that damage must never look like one."""
    dice = Random(whole)
    for _ in range(times):
        with suppress(Unusable):
            look(BytesIO(damaged(whole, dice)))
