"""Who is eligible: the programme's requirements on what a candidate states. Pure; the shares are exact.

Source: the programme's page, "Eligibility Requirements": employed full-time as an instructional coach, and at least
70 % of the work time on coaching (administrative tasks, testing, intervention and the like do not count).
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

HOURS_IN_A_WEEK = 168
APOSTROPHES = str.maketrans("\u2019\u2018\u02bc\u0060\u00b4", "'" * 5)  # telephones type curly ones


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a usual working week by kind of work, none negative, to the hundredth."""

    coaching: Decimal
    administrative: Decimal = Decimal(0)
    testing: Decimal = Decimal(0)
    intervention: Decimal = Decimal(0)
    other: Decimal = Decimal(0)

    @property
    def total(self) -> Decimal:
        return self.coaching + self.administrative + self.testing + self.intervention + self.other


@dataclass(frozen=True, slots=True)
class Statement:
    """All that somebody states to register. `attestation_version` is the version of the text that was before them."""

    employer: str
    district: str
    school: str
    role_title: str
    is_full_time: bool
    supervisor_name: str
    supervisor_email: str
    hours: Hours
    attestation_version: int
    signature: str


@dataclass(frozen=True, slots=True)
class Unmet:
    """One requirement that is not met: the form's `field` it shows at, what it is, and what would meet it."""

    field: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what} {self.remedy}"


def coaching_share(hours: Hours) -> Fraction | None:
    """Coaching as an exact part of all hours (7/10 is 70 %); None when there are no hours to share out."""
    return Fraction(hours.coaching) / Fraction(hours.total) if hours.total > 0 else None


def percent(share: Fraction) -> Decimal:
    """A share as it is shown, in percent with one decimal, rounded down: 69.99 % never reads as the 70.0 it is not."""
    tenths = share.numerator * 1000 // share.denominator
    return Decimal(tenths).scaleb(-1)


def unmet(statement: Statement, required: Fraction, name: str) -> list[Unmet]:
    """Every requirement the statement does not meet, in the order of the form; an empty list means eligible.

    `required` is the least coaching share, `name` the account's name, which the signature repeats.
    """
    return [
        *unmet_by_employment(statement.is_full_time),
        *unmet_by_hours(statement.hours, required),
        *unmet_by_signature(statement.signature, name),
    ]


def unmet_by_employment(is_full_time: bool) -> Iterator[Unmet]:
    if not is_full_time:
        yield Unmet(
            "is_full_time",
            "Certification is for people employed full-time as an instructional coach.",
            "Tick the box if you are. If you will be later, register in the cohort that opens then.",
        )


def unmet_by_hours(hours: Hours, required: Fraction) -> Iterator[Unmet]:
    share = coaching_share(hours)
    if share is None:
        yield Unmet(
            "hours_coaching",
            "Your hours add up to nothing, so there is no share of coaching to work out.",
            "Enter the hours of a usual week, for example 30 for coaching and 8 for administrative tasks.",
        )
    elif hours.total > HOURS_IN_A_WEEK:
        yield Unmet(
            "hours_coaching",
            f"Your hours add up to {plain(hours.total)}, and a week has {HOURS_IN_A_WEEK}.",
            "Enter the hours of one usual week.",
        )
    elif share < required:
        yield _too_little_coaching(hours, share, required)


def _too_little_coaching(hours: Hours, share: Fraction, required: Fraction) -> Unmet:
    return Unmet(
        "hours_coaching",
        f"At least {plain(percent(required))} % of your work time must be coaching; by these hours it is "
        f"{percent(share)} %.",
        f"Of {plain(hours.total)} hours a week, {plain(least_coaching(hours.total, required))} or more would have to "
        "be coaching. Correct the hours if one is wrong. If they are right, talk with your supervisor about your time, "
        "and register in a year in which you meet this.",
    )


def least_coaching(total: Decimal, required: Fraction) -> Decimal:
    """The fewest hours of coaching, to the hundredth, that make at least `required` of `total`."""
    hundredths = Fraction(total) * required * 100
    return Decimal(-(-hundredths.numerator // hundredths.denominator)) / 100


def unmet_by_signature(signature: str, name: str) -> Iterator[Unmet]:
    if not is_signature_of(signature, name):
        yield Unmet(
            "signature",
            "The signature is not your name as it stands in your account.",
            f"Type your full name: {name}",
        )


def is_signature_of(signature: str, name: str) -> bool:
    """Whether somebody typed this name, whatever the case, the spaces, the apostrophes, and how accents are encoded."""
    return _bare(signature) == _bare(name) != ""


def _bare(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).translate(APOSTROPHES).casefold().split())


def plain(number: Decimal) -> str:
    """A decimal as people write it: "28", "27.5"."""
    return f"{number:f}".rstrip("0").rstrip(".") if "." in f"{number:f}" else f"{number:f}"
