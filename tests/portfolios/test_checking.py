"""What the check says of real files, good and bad, by their bytes alone."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from random import Random
from zipfile import ZIP_BZIP2, ZIP_LZMA, ZipFile

import pytest
from PIL import Image

from portfolios.checking import author_data, containers, pdfs, videos, xml, zips
from portfolios.checking.finding import Finding, Unusable
from tests.portfolios import files, films, papers

FRAME_MAX = (4096, 2304)


def probe(body: bytes, family: str = "mov", max_ms: int | None = 60_000) -> Finding:
    return videos.check(BytesIO(body), family, max_ms=max_ms, min_ms=5000, frame_max=FRAME_MAX)


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
    assert pdfs.check(BytesIO(papers.locked_for_printing()), 1) == Finding(pages=1)
    assert pdfs.check(BytesIO(files.pdf(3)), 3) == Finding(pages=3)


@pytest.mark.media_case(40)
@pytest.mark.parametrize(
    ("body", "code"),
    [
        (files.pdf(4), "too-many-pages"),
        (files.pdf(1, password="secret"), "encrypted"),
        (files.pdf(3)[:700], "damaged"),
        (b"%PDF-1.7 and nothing else", "damaged"),
        (films.half(files.pdf(12)), "damaged"),
        (papers.locked_by_a_program(), "restricted"),
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
    ("name", "duration_ms", "size"),
    [
        ("mp4", 6000, (160, 90)),
        ("faststart", 6000, (160, 90)),
        ("fragmented", 6064, (160, 90)),
        ("mov", 6000, (160, 90)),
        ("mjpeg", 6000, (160, 90)),
        ("hevc", 6000, (160, 90)),
        ("hlg", 6000, (160, 90)),
        ("mkv", 6064, (160, 90)),
        ("vp9", 6008, (160, 90)),
        ("vp8", 6008, (160, 90)),
        ("recorded", 6001, (160, 90)),
        ("turned left", 6000, (90, 160)),
        ("turned right", 6000, (90, 160)),
        ("uneven", 6000, (160, 90)),
        ("odd", 6000, (161, 91)),
        ("telling", 6000, (160, 90)),
        ("apple", 6000, (160, 90)),
        ("silent", 6000, (160, 90)),
    ],
)
@pytest.mark.media_case(33)
def test_film_of_every_container_and_telephone_is_measured(name: str, duration_ms: int, size: tuple[int, int]) -> None:
    """Width and height as they are seen. Matroska counts the silence that encoders put before the first tone."""
    body = films.good(name)
    family = containers.family(body[: containers.HEAD])
    assert family == containers.expected(films.GOOD[name][0])
    found = probe(body, family)
    assert (found.duration_ms, (found.width, found.height), found.has_sound) == (duration_ms, size, True)
    with Image.open(BytesIO(found.poster)) as poster:
        assert (poster.width > poster.height) == (size[0] > size[1])


@pytest.mark.media_case(32)
def test_film_without_sound_is_told_from_one_on_which_nothing_is_heard() -> None:
    assert [probe(body).has_sound for body in (films.without_sound(), films.silent())] == [False, True]


@pytest.mark.media_case(31)
@pytest.mark.parametrize("part", [0.5, 0.8])
@pytest.mark.parametrize("name", [name for name in films.GOOD if name != "recorded"])
def test_film_that_was_cut_off_is_damaged_in_every_container(name: str, part: float) -> None:
    """What a browser records says nowhere how long it should be: half of it is a shorter film."""
    body = films.good(name)
    assert refusal(probe, body[: round(len(body) * part)], containers.expected(films.GOOD[name][0])) == "damaged"


@pytest.mark.media_case(31)
def test_film_cut_off_in_the_header_is_damaged() -> None:
    for ending, make in films.GOOD.values():
        assert refusal(probe, make()[:200], containers.expected(ending)) == "damaged"


class Counting(BytesIO):
    """A file that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        self.taken += len(found)
        return found


@pytest.mark.parametrize("ending", [".mov", ".mkv"])
def test_probe_of_a_long_film_reads_little_of_it(ending: str) -> None:
    """Over S3 every byte travels; of a longer film it is less."""
    jpeg = ("-c:v", "mjpeg", "-q:v", "2", "-c:a", "pcm_s16le")
    file = Counting(films.film(ending, *jpeg, seconds=60, size="320x180"))
    videos.check(file, containers.expected(ending), max_ms=None, min_ms=5000, frame_max=FRAME_MAX)
    assert file.taken < len(file.getbuffer()) / 5


def test_video_may_last_to_the_millisecond() -> None:
    assert probe(files.film(), max_ms=6000).duration_ms == 6000
    assert refusal(probe, files.film(), max_ms=5999) == "too-long"


@pytest.mark.parametrize(
    ("body", "family", "code"),
    [
        (films.without_picture(), "mov", "no-picture"),
        (films.with_cover(), "mov", "no-picture"),
        (files.film(seconds=2), "mov", "too-short"),
        (films.endless(), "mov", "too-long"),
        (files.film(size=(4098, 64)), "mov", "frame-too-large"),
        (films.giant(), "mov", "frame-too-large"),
        (films.good("mp4")[:-600], "mov", "damaged"),
        (films.good("mp4")[:32] + bytes(5000), "mov", "damaged"),
        (films.good("mkv"), "mov", "damaged"),
    ],
    ids=["sound", "cover", "short", "endless", "wide", "giant", "index", "zeros", "mkv"],
)
@pytest.mark.media_case(32)
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
        (lambda file: probe(file.read()), films.good("mp4"), 200),
        (lambda file: probe(file.read()), films.good("fragmented"), 200),
        (lambda file: probe(file.read(), "matroska"), films.good("mkv"), 200),
        (lambda file: probe(file.read(), "matroska"), films.good("recorded"), 200),
    ],
    ids=["docx", "odt", "bzip2", "lzma", "pdf", "mp4", "fragmented", "mkv", "recorded"],
)
def test_damage_is_told_and_never_an_error_of_ours(
    look: Callable[[BytesIO], Finding], whole: bytes, times: int
) -> None:
    """An error of ours counts as handed in after three tries, so that damage must never look like one."""
    dice = Random(whole)
    for _ in range(times):
        with suppress(Unusable):
            look(BytesIO(damaged(whole, dice)))
