"""A document without what its programs noted of its author. What the author wrote stays as it is;
what they took out while changes were tracked is gone."""

from typing import BinaryIO

from portfolios.checking import author_data_office, author_data_pdf


def without(file: BinaryIO, extension: str) -> bytes:
    """The cleaned copy of a document that was found sound, by its kind: ".pdf", ".docx" or ".odt"."""
    file.seek(0)
    return author_data_pdf.without(file) if extension == ".pdf" else author_data_office.without(file)
