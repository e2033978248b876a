"""Documents that are more than paper: with scripts, with other files inside, protected, or telling of their author."""

import warnings
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pikepdf

from tests.portfolios import files

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


def action(**entries: Any) -> pikepdf.Dictionary:
    """A dictionary of a PDF. A text that begins with a slash is a name."""
    named = {key: pikepdf.Name(value) if str(value).startswith("/") else value for key, value in entries.items()}
    return pikepdf.Dictionary(**named)


def saved(pdf: pikepdf.Pdf, **how: Any) -> bytes:
    out = BytesIO()
    pdf.save(out, **how)
    return out.getvalue()


def pdf_with(**root: Any) -> bytes:
    """One page, and these in its catalogue."""
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        for key, value in root.items():
            pdf.Root[f"/{key}"] = value
        return saved(pdf)


def pdf_with_a_note(**entries: Any) -> bytes:
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        note = action(**{"Type": "/Annot", "Subtype": "/Text", "Rect": [0, 0, 20, 20], **entries})
        pdf.pages[0].Annots = pdf.make_indirect([note])
        return saved(pdf)


def pdf_with_an_attachment() -> bytes:
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        pdf.attachments["grades.xlsx"] = pikepdf.AttachedFileSpec(pdf, b"grades", filename="grades.xlsx")
        return saved(pdf)


def locked_for_printing() -> bytes:
    """Opens without a password, and forbids what its owner's password would allow."""
    with pikepdf.open(BytesIO(files.pdf())) as pdf:
        return saved(pdf, encryption=pikepdf.Encryption(user="", owner="secret"))


def with_a_password(archive: bytes) -> bytes:
    """The flag of an encrypted member in both of its heads; zipfile itself cannot encrypt."""
    body = bytearray(archive)
    body[6] |= 1
    body[body.index(b"PK\x01\x02") + 8] |= 1
    return bytes(body)


def with_two_of(archive: bytes, name: str) -> bytes:
    out = BytesIO(archive)
    with warnings.catch_warnings(), ZipFile(out, "a") as again:
        warnings.simplefilter("ignore")
        again.writestr(name, "<other/>")
    return out.getvalue()
