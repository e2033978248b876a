"""`{% load agreement %}`: shares, coefficients and small charts of the agreement board.

Charts are percentages in SVG attributes, as in `look`; what they show stands as numbers beside them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django import template

from icg_cert.lib.words import three_decimals
from scoring.agreement import LEVELS, Agreement, Mark, Severity, alpha_mark, kappa_mark

register = template.Library()

SHADES = 4
# What the severity bars reach to on either side, in points: the least that holds them all.
REACHES = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(7, 2))


@register.filter
def percent_of(part: int, whole: int) -> str:
    """ "79 %", halves rounded up; nothing where there is nothing to share."""
    return f"{(200 * part + whole) // (2 * whole)} %" if whole else ""


@register.filter
def signed(points: Fraction | None) -> str:
    """ "+0.125", "−0.250", "0.000"; nothing for None."""
    if points is None:
        return ""
    words = three_decimals(abs(points))
    if not words.strip("0."):
        return words
    return f"{'+' if points > 0 else '−'}{words}"


@register.filter
def level_of_agreement(kappa: Fraction) -> Mark:
    return kappa_mark(kappa)


@register.filter
def what_it_allows(alpha: Fraction) -> Mark:
    return alpha_mark(alpha)


def _width(share: Fraction) -> str:
    """A share of the whole as SVG takes it, to a hundredth of a percent."""
    return f"{Decimal(round(share * 10000)).scaleb(-2)}%"


# ---- Levels: the same, one apart, further


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of a bar."""

    tone: str
    x: str
    width: str


@register.inclusion_tag("scoring/_levels_bar.html")
def levels_bar(agreement: Agreement) -> dict[str, Any]:
    """How large a part of the pairs shares a level, lies one level apart, lies further apart; in this order."""
    counts = {
        "chart-fill": agreement.same_level,
        "chart-fill chart-fill-near": agreement.near_level - agreement.same_level,
        "chart-fill chart-fill-low": agreement.pairs - agreement.near_level,
    }
    parts, before = [], 0
    for tone, count in counts.items():
        if count:
            parts.append(
                Part(tone, _width(Fraction(before, agreement.pairs)), _width(Fraction(count, agreement.pairs)))
            )
        before += count
    return {"parts": parts}


@dataclass(frozen=True, slots=True)
class Cell:
    """One count of the heat map; `shade` from 0, nobody, to SHADES, as many as in the fullest cell."""

    count: int
    shade: int
    is_same: bool


@register.inclusion_tag("scoring/_heat_map.html")
def heat_map(levels: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    """How often each first level met each second one: a table whose cells are stronger the more they hold."""
    most = max(levels.values(), default=0)
    rows = [(one, [_cell(levels.get((one, other), 0), most, one == other) for other in LEVELS]) for one in LEVELS]
    return {"levels": LEVELS, "rows": rows}


def _cell(count: int, most: int, is_same: bool) -> Cell:
    return Cell(count, -(-SHADES * count // most) if count else 0, is_same)


# ---- Severity


@register.filter
def reach(scorers: Iterable[Any]) -> Fraction:
    """How far the bars of these scorers reach to either side, so that all have one scale."""
    furthest = max((_furthest(one.beside_readers) for one in scorers), default=Fraction(0))
    return next((limit for limit in REACHES if limit >= furthest), REACHES[-1])


def _furthest(severity: Severity) -> Fraction:
    if severity.is_few or severity.low is None or severity.high is None:
        return Fraction(0)
    return max(-severity.low, severity.high)


@register.inclusion_tag("scoring/_severity_bar.html")
def severity_bar(severity: Severity, limit: Fraction) -> dict[str, Any]:
    """A bar from zero in the middle to the mean, to the right where the scorer gives more, and the interval over it."""
    if severity.is_few or severity.mean is None or severity.low is None or severity.high is None:
        return {"has_bar": False}
    mean, zero = _place(severity.mean, limit), Fraction(1, 2)
    return {
        "has_bar": True,
        "tone": "chart-fill chart-fill-low" if severity.is_clear else "chart-fill",
        "x": _width(min(mean, zero)),
        "width": _width(abs(mean - zero)),
        "low": _width(_place(severity.low, limit)),
        "high": _width(_place(severity.high, limit)),
    }


def _place(points: Fraction, limit: Fraction) -> Fraction:
    """Where a number of points stands between the two ends, 0 to 1."""
    return (min(max(points, -limit), limit) + limit) / (2 * limit)
