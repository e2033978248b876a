"""Ourselves as a vendor: what a district's office would still miss."""

from datetime import date

from payments.models import Vendor

# What a starter row says where only a person can know better.
UNKNOWN = "to be filled in"


def lacking(row: Vendor, on: date) -> list[str]:
    """What somebody should mend before the next paper goes out, as sentences."""
    checks = [
        (UNKNOWN in row.remit_to, "The remit-to address is still to be filled in: checks would not find us."),
        (UNKNOWN in row.ach_details, "The bank details are still to be filled in, or to be left empty."),
        (not row.w9, "There is no W-9. Districts ask for one before their first order."),
        (is_w9_old(row, on), "The W-9 is older than last year. Many districts do not take it any more."),
    ]
    return [sentence for holds, sentence in checks if holds]


def is_w9_old(row: Vendor, on: date) -> bool:
    """Signed before last year, or nobody knows when."""
    return bool(row.w9) and (row.w9_signed_on is None or row.w9_signed_on.year < on.year - 1)
