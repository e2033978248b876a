"""PDF: who made it stands in the Info dictionary, in XMP, at notes, in signatures, in thumbnails and in photographs."""

from io import BytesIO
from typing import Any, BinaryIO

import pikepdf

from portfolios.checking import pictures
from portfolios.checking.pdf_objects import dictionaries

# XMP, a program's private data, small pictures of a page, the author of an article thread.
_TELLING = ("/Metadata", "/PieceInfo", "/Thumb", "/Author")
_OF_THE_WHOLE = ("/Perms", "/DSS", "/Legal")  # what belongs to signatures, which a changed file voids
_DCT = pikepdf.Name.DCTDecode


def without(file: BinaryIO) -> bytes:
    """Written anew, so that nothing is left of earlier versions of the file, either."""
    out = BytesIO()
    with pikepdf.open(file) as pdf:
        del pdf.docinfo
        _forget(pdf.Root, _OF_THE_WHOLE)
        for one in dictionaries(pdf):
            _clean(one)
        pdf.save(out, deterministic_id=True, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    return out.getvalue()


def _clean(one: Any) -> None:
    _forget(one, _TELLING)
    if (
        "/Rect" in one and one.get("/Subtype") != pikepdf.Name.Widget
    ):  # a note; a field's /T is what the field is called
        _forget(one, ("/T",))
    if one.get("/FT") == pikepdf.Name.Sig:
        _forget(one, ("/V",))
    if isinstance(one, pikepdf.Stream) and one.get("/Filter") in (_DCT, pikepdf.Array([_DCT])):
        how: Any = one.get("/DecodeParms")
        one.write(pictures.plain(one.read_raw_bytes()), filter=_DCT, decode_parms=how)


def _forget(one: Any, keys: tuple[str, ...]) -> None:
    for key in keys:
        if key in one:
            del one[key]
