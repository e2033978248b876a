"""The certificate on paper: accessible, for every name there is, with a code that a telephone reads."""

import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from pikepdf import Array, Dictionary, Pdf
from PIL import Image
from pypdf import PdfReader

from candidates.models import User
from icg_cert.lib.refusal import Refused
from scoring import certificate_paper
from scoring.models import Certificate
from tests.factories import make_user
from tests.scoring.holding import CODE, LATER, ask, certified

VERIFY = "http://localhost:8000/verify/K7PQM3XZ/"


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certified(candidate)


def printed(holder: str) -> bytes:
    return certificate_paper.document(certified(make_user(holder)))


def text(paper: bytes) -> str:
    [page] = PdfReader(BytesIO(paper)).pages
    return " ".join(page.extract_text().split())


def tags(element: Any) -> list[tuple[str, str]]:
    """What a reader's voice goes through: each tag, and the words that stand for what it cannot read."""
    kids = element.get("/K", Array([]))
    found = [(str(element.S), str(element.get("/Alt", "")))] if "/S" in element else []
    elements = [kid for kid in (kids if isinstance(kids, Array) else [kids]) if isinstance(kid, Dictionary)]
    return found + [tag for kid in elements for tag in tags(kid)]


def test_document_is_an_accessible_pdf(certificate: Certificate, candidate: User) -> None:
    response = ask("/certificates/K7PQM3XZ/certificate.pdf", candidate)
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"] == 'inline; filename="ICG-certificate-K7PQM3XZ.pdf"'
    with Pdf.open(BytesIO(response.content)) as pdf:
        [page] = pdf.pages
        assert [int(side) for side in page.mediabox] == [0, 0, 792, 612]
        assert (str(pdf.docinfo["/Title"]), str(pdf.Root.Lang)) == ("Certificate of Ada Abara", "en")
        assert bool(pdf.Root.MarkInfo.Marked)
        assert pdf.Root.ViewerPreferences.DisplayDocTitle
        with pdf.open_metadata() as metadata:
            assert metadata["pdfuaid:part"] == "1"


def test_document_says_in_words_what_it_draws(certificate: Certificate) -> None:
    with Pdf.open(BytesIO(certificate_paper.document(certificate))) as pdf:
        found = tags(pdf.Root.StructTreeRoot)
    assert [tag for tag, _ in found if tag in ("/H1", "/H2")] == ["/H1", "/H2"]
    assert [words for tag, words in found if tag == "/Figure"] == [
        f"QR code that leads to the verification of this certificate at {VERIFY}"
    ]


def test_document_says_who_what_and_when(certificate: Certificate) -> None:
    words = text(certificate_paper.document(certificate))
    for part in ("This is to certify that Ada Abara", "Certified Instructional Coach", "October 31, 2027", "K7PQ M3XZ"):
        assert part in words


@pytest.mark.requires("pdftoppm")
def test_document_carries_a_code_that_another_program_reads(certificate: Certificate, tmp_path: Path) -> None:
    (tmp_path / "paper.pdf").write_bytes(certificate_paper.document(certificate))
    command = ["pdftoppm", "-r", "100", "-png", "-singlefile", "paper.pdf", "paper"]
    subprocess.run(command, cwd=tmp_path, check=True)
    with Image.open(tmp_path / "paper.png") as picture:
        [found] = zxingcpp.read_barcodes(picture)
    assert (found.format, found.text) == (zxingcpp.BarcodeFormat.QRCode, VERIFY)


@pytest.mark.parametrize(
    "name",
    [
        "Ω" * 5,
        "Zoë Nuñez-Østergård",
        "A" * 150,
        "Wolfeschlegelsteinhausenbergerdorff " * 4,
        "أمل عبد الرحمن",
        "陈小明",
        "Ada 🎉 Abara",
        '"#eval" $x$ *b* _i_ @ref <tag> \\',
        "\u0378",
    ],
)
def test_document_takes_any_name_on_one_page(db: None, name: str) -> None:
    assert len(PdfReader(BytesIO(printed(name))).pages) == 1


def test_document_breaks_a_word_that_is_longer_than_the_line(db: None) -> None:
    [page] = PdfReader(BytesIO(printed("A" * 150))).pages
    lines = [line.replace("\u200b", "") for line in page.extract_text().splitlines()]
    assert "".join(line for line in lines if set(line) == {"A"}) == "A" * 150
    assert sum(set(line) == {"A"} for line in lines) > 1


@pytest.mark.parametrize(("end", "code"), [("revoked_at", "revoked"), ("replaced_at", "replaced")])
def test_document_of_what_no_longer_holds_is_refused(certificate: Certificate, end: str, code: str) -> None:
    Certificate.objects.update(**{end: LATER})
    with pytest.raises(Refused) as refused:
        certificate_paper.document(Certificate.objects.get())
    assert refused.value.code == code


def test_paper_without_a_code_leads_nowhere(certificate: Certificate) -> None:
    words = text(certificate_paper.paper(certificate, holder="Ada Adebayo", code=""))
    assert ("Ada Adebayo" in words, "Certificate code" in words, CODE[:4] in words) == (True, False, False)
