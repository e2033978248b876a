"""The certificate as a document: US letter, landscape, with a code that a telephone reads."""

from django.conf import settings
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.timezone import localtime
from qrcode import QRCode
from qrcode.constants import ERROR_CORRECT_M

from icg_cert.lib import pdf
from icg_cert.lib.refusal import Refused
from scoring.models import Certificate


def document(certificate: Certificate) -> bytes:
    """The PDF. Of a certificate loaded with its result. Refused: `revoked`, `replaced`."""
    if certificate.is_revoked:
        raise Refused("revoked", "This certificate was revoked, so there is no document of it any more.")
    if certificate.is_replaced:
        raise Refused("replaced", "This certificate was replaced by one in another name. Open that one.")
    return paper(certificate, holder=certificate.holder_name, code=certificate.code)


def paper(certificate: Certificate, *, holder: str, code: str) -> bytes:
    """The same with another name and code: what a certificate would look like. An empty code prints none."""
    url = settings.BASE_URL + reverse("scoring:verify", args=[code]) if code else ""
    form = settings.BASE_URL + reverse("scoring:verify-form")
    data = {
        "holder": holder,
        "awarded": format_date(localtime(certificate.awarded_at), "F j, Y"),
        "code": f"{code[:4]} {code[4:]}" if code else "",
        "url": url,
        "place": form.partition("://")[2].rstrip("/"),
        "qr": modules(url) if code else [],
    }
    return pdf.render("certificate.typ", data)


def modules(url: str) -> list[str]:
    """The rows of a QR code, "1" for a dark module, without the quiet zone around it."""
    drawn = QRCode(error_correction=ERROR_CORRECT_M, border=0)
    drawn.add_data(url)
    drawn.make()
    return ["".join("1" if dark else "0" for dark in row) for row in drawn.get_matrix()]
