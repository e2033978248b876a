import pytest

from portfolios.filenames import clean, extension


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("My film.mp4", "My film.mp4"),
        ("C:\\Users\\Ada\\film.mp4", "film.mp4"),
        ("../../etc/passwd", "passwd"),
        ("one\x00two\x07\x1b[31m.pdf", "onetwo[31m.pdf"),
        ("line\r\nbreak\t.pdf", "line break .pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("zero\u200bwidth\ufeff.pdf", "zerowidth.pdf"),
        ("Übung – Gespräch 面谈.docx", "Übung – Gespräch 面谈.docx"),
        ("<script>.pdf", "<script>.pdf"),
        ("  .  ", "file"),
        ("", "file"),
        ("\ud800.pdf", "pdf"),
    ],
)
def test_name_is_made_safe_to_show(typed: str, shown: str) -> None:
    assert clean(typed) == shown


def test_long_name_keeps_its_extension() -> None:
    assert clean("x" * 251 + ".docx") == "x" * 250 + ".docx"
    assert clean("x" * 250 + ".docx") == "x" * 250 + ".docx"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.PDF", ".pdf"),
        ("a.tar.gz", ".gz"),
        ("a", ""),
        (".pdf", ".pdf"),
        ("a.", ""),
        ("a.p\u0501f", ""),
        ("a.b c", ""),
    ],
)
def test_extension_is_the_last_ending(name: str, found: str) -> None:
    assert extension(name) == found
