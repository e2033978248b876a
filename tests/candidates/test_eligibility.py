from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from candidates.eligibility import (
    Hours,
    Statement,
    coaching_share,
    is_signature_of,
    least_coaching,
    percent,
    plain,
    unmet,
)

SEVENTY = Fraction(7, 10)
hours_of_a_week = st.decimals(0, 33, places=2)


def stated(hours: Hours, *, is_full_time: bool = True, signature: str = "Ada Abara") -> Statement:
    return Statement(
        employer="Lakeside",
        district="Lakeside",
        school="",
        role_title="Coach",
        is_full_time=is_full_time,
        supervisor_name="Sam",
        supervisor_email="sam@example.org",
        hours=hours,
        attestation_version=1,
        signature=signature,
    )


def fields(statement: Statement) -> list[str]:
    return [lacking.field for lacking in unmet(statement, SEVENTY, "Ada Abara")]


@pytest.mark.parametrize(
    ("coaching", "other", "lacking"),
    [
        ("69.9", "30.1", ["hours_coaching"]),
        ("69.99", "30.01", ["hours_coaching"]),
        ("70", "30", []),
        ("70.01", "29.99", []),
        ("27.99", "12", ["hours_coaching"]),
        ("28", "12", []),
        ("40", "0", []),
        ("0", "40", ["hours_coaching"]),
        ("0", "0", ["hours_coaching"]),
        ("168", "0", []),
        ("168", "0.01", ["hours_coaching"]),
    ],
)
def test_unmet_by_hours(coaching: str, other: str, lacking: list[str]) -> None:
    assert fields(stated(Hours(Decimal(coaching), other=Decimal(other)))) == lacking


def test_unmet_names_each_requirement_and_what_would_meet_it() -> None:
    hours = Hours(Decimal("27.96"), Decimal(5), Decimal(3), Decimal(2), Decimal("2.04"))
    statement = stated(hours, is_full_time=False, signature="A. Abara")
    assert [str(lacking) for lacking in unmet(statement, SEVENTY, "Ada Abara")] == [
        "Certification is for people employed full-time as an instructional coach. "
        "Tick the box if you are. If you will be later, register in the cohort that opens then.",
        "At least 70 % of your work time must be coaching; by these hours it is 69.9 %. "
        "Of 40 hours a week, 28 or more would have to be coaching. Correct the hours if one is wrong. If they are "
        "right, talk with your supervisor about your time, and register in a year in which you meet this.",
        "The signature is not your name as it stands in your account. Type your full name: Ada Abara",
    ]


def test_coaching_share_is_exact() -> None:
    assert coaching_share(Hours(Decimal("0.10"), testing=Decimal("0.20"))) == Fraction(1, 3)
    assert coaching_share(Hours(Decimal(0))) is None


@pytest.mark.parametrize(
    ("share", "shown"),
    [(Fraction(6999, 10000), "69.9"), (SEVENTY, "70.0"), (Fraction(2, 3), "66.6"), (Fraction(1), "100.0")],
)
def test_percent_rounds_down(share: Fraction, shown: str) -> None:
    assert str(percent(share)) == shown


@given(coaching=hours_of_a_week, rest=hours_of_a_week)
def test_what_would_meet_it_does_and_a_hundredth_less_does_not(coaching: Decimal, rest: Decimal) -> None:
    total = coaching + rest
    least = least_coaching(total, SEVENTY)
    assert least <= total
    if total:
        assert Fraction(least) / Fraction(total) >= SEVENTY
        assert Fraction(least - Decimal("0.01")) / Fraction(total) < SEVENTY


@pytest.mark.parametrize(
    ("signature", "is_theirs"),
    [
        ("José Núñez", True),
        ("  josé   NÚÑEZ ", True),
        ("Jose\u0301 Nu\u0301n\u0303ez", True),
        ("Jose Nunez", False),
        ("José", False),
        ("", False),
    ],
)
def test_signature_is_the_name_whatever_case_spaces_and_encoding(signature: str, is_theirs: bool) -> None:
    assert is_signature_of(signature, "José Núñez") == is_theirs


def test_signature_may_have_the_other_apostrophe() -> None:
    assert is_signature_of("Zoë O'Brien", "Zoë O\u2019Brien")
    assert not is_signature_of("Zoë OBrien", "Zoë O\u2019Brien")


def test_nobody_without_a_name_signs_with_nothing() -> None:
    assert not is_signature_of("", "")


@pytest.mark.parametrize(
    ("number", "words"), [("40", "40"), ("40.00", "40"), ("27.50", "27.5"), ("100", "100"), ("0.00", "0")]
)
def test_plain_numbers(number: str, words: str) -> None:
    assert plain(Decimal(number)) == words
