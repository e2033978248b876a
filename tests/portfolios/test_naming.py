"""Where a document names its author: what is found in real files, how it is said, and what is no name."""

from datetime import datetime
from io import BytesIO
from typing import Any

import docx
import pytest
from reportlab.pdfgen.canvas import Canvas

from candidates.models import User
from portfolios import documents
from portfolios.checking import naming, texts
from portfolios.checking.naming import Mention, Passage, Person
from portfolios.models import Entry, Requirement
from tests.factories import make_entry, make_registration, make_requirement
from tests.portfolios import files, papers
from tests.portfolios.handing_in import hand_in_checked

ADA = Person("Ada Abara", "ada@example.org", ("Lakeside Elementary", "Lakeside School District"))
SCHOOL = "Lakeside Elementary"


def found(text: str, person: Person = ADA) -> list[str]:
    return [mention.term for mention in naming.mentions(person, [Passage("here", text)])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I am Ada Abara.", ["Ada Abara"]),
        ("I am ada\n  abara.", ["Ada Abara"]),
        ("Coach Ada's notes", ["Ada"]),
        ("ABARA, ADA", ["Ada", "Abara"]),
        ("Ádá Abará", ["Ada Abara"]),
        ("write to ADA@example.org,", ["ada@example.org"]),
        ("at Lakeside elementary", [SCHOOL]),
        ("Adam and Abarama, Adabara", []),
        ("Canada, ada", []),
        ("the lakeside, an elementary school", []),
        ("", []),
    ],
)
def test_name_is_found_whole_and_without_accents(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("person", "text", "expected"),
    [
        (Person("Zoë Ångström-Li", "z@example.org", ()), "Zoe met ANGSTROM and Li.", ["Zoë", "Ångström"]),
        (Person("Will Long", "w@example.org", ()), "I will, and long for it. At long last, it will.", []),
        (Person("Will Long", "w@example.org", ()), "It was Will.", ["Will"]),
        (Person("Jo Li", "j@example.org", ()), "Jo Li, Jo, Li", ["Jo Li"]),
        (Person("", "x@example.org", ("", "-")), "Anybody - at all", []),
        (Person("Ada", "a@example.org", ("Lincoln",)), "Lincoln freed them.", ["Lincoln"]),
        (Person("A (B) [C] Dee*", "a@example.org", ()), "Dee* and A (B) [C] Dee*", ["A (B) [C] Dee*", "Dee*"]),
    ],
)
def test_odd_names_and_common_words(person: Person, text: str, expected: list[str]) -> None:
    assert found(text, person) == expected


def test_each_thing_is_told_once_with_its_places_in_order() -> None:
    text = [
        Passage("on page 1", "Ada Abara and Ada"),
        Passage("on page 2", "Ada Abara, Lakeside Elementary, Ada Abara"),
    ]
    assert naming.mentions(ADA, text) == [
        Mention("Ada Abara", ("on page 1", "on page 2"), is_workplace=False),
        Mention(SCHOOL, ("on page 2",), is_workplace=True),
        Mention("Ada", ("on page 1",), is_workplace=False),
    ]


@pytest.mark.parametrize(
    ("pages", "where"),
    [
        (1, "on page 1"),
        (2, "on page 1 and on page 2"),
        (3, "on page 1, on page 2 and on page 3"),
        (4, "on page 1, on page 2, on page 3 and in one more place"),
        (9, "on page 1, on page 2, on page 3 and in 6 more places"),
    ],
)
def test_words_name_what_and_where(pages: int, where: str) -> None:
    places = tuple(f"on page {number}" for number in range(1, pages + 1))
    assert naming.said([Mention(SCHOOL, places, is_workplace=True)]) == (
        f"This document names where you work: “Lakeside Elementary” {where}. Scoring is blind: take it out and upload "
        "it again, or hand it in as it is."
    )


# ---- Real files


def pdf(*pages: str) -> bytes:
    out = BytesIO()
    canvas = Canvas(out)
    for page in pages:
        for line, text in enumerate(page.splitlines()):
            canvas.drawString(72, 720 - 14 * line, text)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def word() -> bytes:
    document, out = docx.Document(), BytesIO()
    paragraph = document.add_paragraph("I am A")
    paragraph.add_run("da Ab").bold = True
    paragraph.add_run("ara.")
    document.add_paragraph("")
    document.add_table(1, 1).cell(0, 0).text = "Ada\tAbara"
    document.sections[0].header.paragraphs[0].text = "Lakeside Elementary"
    document.add_comment(paragraph.runs[0], text="Ask ada@example.org.", author="X", initials="X")
    document.save(out)
    return out.getvalue()


def odt() -> bytes:
    text = "<text:h>Title</text:h><text:p>By <text:span>A<x>da</x></text:span> Abara<text:tab/>.</text:p>"
    parts = {"content.xml": f"<d {papers.ODF}>{text}</d>", "styles.xml": f"<s {papers.ODF}><text:p>Abara</text:p></s>"}
    return files.rezipped(files.odt(), parts)


TRACKED = (
    f"<w:document {papers.WORD}><w:body><w:p><w:r><w:t>By a coach.</w:t></w:r><w:del><w:r><w:delText>Ada Abara"
    "</w:delText></w:r></w:del></w:p></w:body></w:document>"
)
FIELD = {"Subtype": "/Widget", "FT": "/Tx", "T": "name", "V": "Ada Abara"}


@pytest.mark.parametrize(
    ("body", "extension", "expected"),
    [
        (
            pdf("Nobody", "By Ada\nAbara", "At Lakeside Elementary"),
            ".pdf",
            "“Ada Abara” on page 2, “Lakeside Elementary” on page 3",
        ),
        (papers.pdf_with_a_note(**FIELD), ".pdf", "“Ada Abara” on page 1"),
        (papers.pdf_with_a_note(Contents="Ask Ada."), ".pdf", "“Ada” on page 1"),
        (
            word(),
            ".docx",
            "“Ada Abara” in paragraph 1 and in paragraph 2, “ada@example.org” in a comment, "
            "“Lakeside Elementary” in the header",
        ),
        (odt(), ".odt", "“Ada Abara” in paragraph 2, “Abara” in the header or footer"),
    ],
    ids=["pages", "field", "note", "word", "opendocument"],
)
def test_documents_name_their_author(body: bytes, extension: str, expected: str) -> None:
    said = naming.said(naming.mentions(ADA, texts.passages(body, extension)))
    assert said.partition(": ")[2].partition(". Scoring")[0] == expected


def test_name_in_a_tracked_deletion_is_none(entry: Entry, document: Requirement, noon: datetime) -> None:
    """Scorers get the document without it."""
    body = files.rezipped(files.word(), {"word/document.xml": TRACKED})
    assert "Ada Abara" in TRACKED
    assert hand_in_checked(entry, document, noon, body).remarks == []


def test_note_within_a_paragraph_is_not_part_of_its_words() -> None:
    note = "<office:annotation><dc:creator>Ed</dc:creator><text:p>Ask Ada</text:p></office:annotation>"
    body = f"<d {papers.ODF}><text:p>So I{note}Abara went</text:p></d>"
    found = texts.passages(files.rezipped(files.odt(), {"content.xml": body}), ".odt")
    assert list(found) == [
        Passage("in paragraph 1", "So I Ed Ask Ada Abara went"),
        Passage("in paragraph 2", "Ask Ada"),
    ]


@pytest.mark.parametrize(
    ("body", "extension"), [(files.pdf(3), ".pdf"), (files.word(), ".docx"), (files.odt(), ".odt")], ids=["p", "w", "o"]
)
def test_documents_that_name_nobody(body: bytes, extension: str) -> None:
    assert naming.mentions(ADA, texts.passages(body, extension)) == []


# ---- Remarks


def test_document_that_names_its_candidate_is_ready_and_says_so(
    entry: Entry, document: Requirement, noon: datetime
) -> None:
    upload = hand_in_checked(entry, document, noon, pdf("Page one", "By Ada Abara"), "Commentary.pdf")
    assert (upload.state, upload.remarks) == (
        "ready",
        [
            {
                "code": "names-you",
                "words": "This document names you: “Ada Abara” on page 2. Scoring is blind: take it out and upload it "
                "again, or hand it in as it is.",
            }
        ],
    )


def test_file_name_that_names_its_candidate_is_told_apart(entry: Entry, document: Requirement, noon: datetime) -> None:
    upload = hand_in_checked(entry, document, noon, files.pdf(), "Ada_Abara_commentary.pdf")
    assert upload.remarks == [{"code": "file-names-you", "words": documents.FILE_NAMED}]


def test_replacement_that_names_nobody_has_no_remark(entry: Entry, document: Requirement, noon: datetime) -> None:
    hand_in_checked(entry, document, noon, files.word("By Ada Abara."))
    assert hand_in_checked(entry, document, noon, files.word("By a coach.")).remarks == []


def test_text_that_cannot_be_read_keeps_nothing_waiting(
    entry: Entry, document: Requirement, noon: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any) -> Any:
        raise ValueError("no text in here")

    monkeypatch.setattr(texts, "passages", broken)
    upload = hand_in_checked(entry, document, noon)
    assert (upload.state, upload.remarks) == ("ready", [])


def test_clean_rendition_is_kept_for_every_document(candidate: User, noon: datetime) -> None:
    entry = make_entry(make_registration(candidate))
    slot = make_requirement(key="strategies", maximum=3)
    for body, name in [
        (papers.word_of_ada(), "a.docx"),
        (papers.odt_of_ada(), "b.odt"),
        (papers.pdf_of_ada(), "c.pdf"),
    ]:
        upload = hand_in_checked(entry, slot, noon, body, name)
        kept = upload.renditions.get()
        assert (upload.state, kept.kind, kept.made_at) == ("ready", "clean", noon)
