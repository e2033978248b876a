from decimal import Decimal

import pytest

from icg_cert.lib.money import Money


def test_money_of_decimal_is_exact() -> None:
    assert Money.of(Decimal("400.00")) == Money(40000, "USD")
    assert Money.of(Decimal("19.99")).minor == 1999
    assert Money.of(Decimal("7.77")).minor == 777


def test_money_of_decimal_refuses_a_remainder() -> None:
    with pytest.raises(ValueError, match="not a whole number"):
        Money.of(Decimal("0.001"))


def test_money_refuses_floats_and_unknown_currencies() -> None:
    with pytest.raises(TypeError):
        Money(400.0)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Money(True)
    with pytest.raises(ValueError, match="XYZ"):
        Money(1, "XYZ")


def test_money_adds_subtracts_and_compares() -> None:
    assert Money(100) + Money(50) - Money(1) == Money(149)
    assert -Money(5) == Money(-5)
    assert Money(40000) * 3 == Money(120000)
    assert Money(1) < Money(2)
    assert [bool(Money(0)), bool(Money(-1))] == [False, True]


@pytest.mark.parametrize(
    ("minor", "shown"),
    [
        (40000, "$400.00 USD"),
        (0, "$0.00 USD"),
        (1, "$0.01 USD"),
        (-1999, "-$19.99 USD"),
        (123456789, "$1,234,567.89 USD"),
    ],
)
def test_money_is_never_a_bare_number(minor: int, shown: str) -> None:
    assert str(Money(minor)) == shown
