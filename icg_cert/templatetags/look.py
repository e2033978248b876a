"""How the portal says instants, money, scores and states. `{% load look %}`.

The one place where a date, an amount or a score becomes words, so that pages, mails and reports say it alike.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.template import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString

from icg_cert.lib.money import Money
from icg_cert.lib.words import clock_words, day_words, left_words, shown, three_decimals, window_words, zone_name

register = template.Library()

COUNTDOWN_FROM = timedelta(days=7)
STATE_KINDS = {"good", "warn", "bad", "muted", "info"}
NOTICE_OF_MESSAGE = {"success": "done", "warning": "careful", "error": "problem"}

# The scale every bar is drawn on: the lowest and the highest of the twelve values.
LOWEST, HIGHEST = Fraction(3, 4), Fraction(17, 4)


# ---- Instants


@register.simple_tag(takes_context=True)
def instant(context: Context, moment: datetime, countdown: bool = False, plain: bool = False) -> str:
    """Date and time in the programme's zone, with the reader's own beside it. `plain` is for text mails."""
    home = moment.astimezone(ZoneInfo(settings.TIME_ZONE))
    words = f"{day_words(home.date())}, {clock_words(home)} {zone_name(settings.TIME_ZONE)}"
    return _told(context, moment, words, home.date(), countdown, plain)


@register.simple_tag(takes_context=True)
def last_moment(context: Context, closes_at: datetime, countdown: bool = False, plain: bool = False) -> str:
    """A half-open end as it is announced: the last day one can still act, until when."""
    home = closes_at.astimezone(ZoneInfo(settings.TIME_ZONE))
    last = (home - timedelta(microseconds=1)).date()
    until = "midnight" if last != home.date() else clock_words(home)
    words = f"{day_words(last)}, until {until} {zone_name(settings.TIME_ZONE)}"
    return _told(context, closes_at, words, last, countdown, plain)


@register.simple_tag(takes_context=True)
def end_of(context: Context, closes_at: datetime, countdown: bool = False, plain: bool = False) -> str:
    """The same end within a sentence, after "until", "by" or "at": "the end of 15 June 2027, Central Time"."""
    home = closes_at.astimezone(ZoneInfo(settings.TIME_ZONE))
    last = (home - timedelta(microseconds=1)).date()
    said = f"the end of {day_words(last)}," if last != home.date() else f"{clock_words(home)} on {day_words(last)},"
    return _told(context, closes_at, f"{said} {zone_name(settings.TIME_ZONE)}", last, countdown, plain)


@register.simple_tag
def day(moment: datetime | date, plain: bool = False) -> str:
    """The date alone; an instant's date is the one it has in the programme's zone."""
    on = moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date() if isinstance(moment, datetime) else moment
    if plain:
        return day_words(on)
    return format_html('<time datetime="{}">{}</time>', on.isoformat(), day_words(on))


@register.simple_tag
def days(opens_at: datetime, closes_at: datetime, plain: bool = False) -> str:
    """A window as it is announced, both days included: "1 May to 15 June 2027"."""
    words = window_words(opens_at, closes_at)
    return words if plain else format_html('<span class="days">{}</span>', words)


def reader_words(context: Context, moment: datetime, shown: date) -> str | None:
    """The instant in the reader's zone; "" where it is the same there, None where the reader never said theirs.

    The date is repeated only where it differs from the one `shown`.
    """
    zone = getattr(_reader(context), "time_zone", "")
    if not zone:
        return None
    there = moment.astimezone(ZoneInfo(zone))
    if there.utcoffset() == moment.astimezone(ZoneInfo(settings.TIME_ZONE)).utcoffset():
        return ""
    on = "" if there.date() == shown else f"{day_words(there.date())}, "
    return f"({on}{clock_words(there)} {zone_name(zone)})"


def _reader(context: Context) -> Any:
    request = context.get("request")
    return getattr(request, "user", None) or context.get("user")


def _told(context: Context, moment: datetime, words: str, shown: date, countdown: bool, plain: bool) -> str:
    there = reader_words(context, moment, shown)
    if plain:
        return f"{words} {there}" if there else words
    stamp = moment.astimezone(ZoneInfo(settings.TIME_ZONE)).isoformat()
    # Without a zone of the reader's on the server, instants.js fills the browser's in.
    ask = format_html(' data-shown="{}"', shown.isoformat()) if there is None else ""
    return format_html(
        '<span class="instant"{}><time datetime="{}">{}</time><span class="instant-reader">{}</span>{}</span>',
        ask,
        stamp,
        words,
        f" {there}" if there else "",  # with its space, so that a full stop may follow where it is empty
        _countdown(context, moment) if countdown else "",
    )


def _countdown(context: Context, moment: datetime) -> str:
    """The words of the time left, when under a week; the page's own instant goes along so that the script keeps it."""
    at = getattr(context.get("request"), "at", None) or context.get("at")
    if at is None or not timedelta(0) < moment - at < COUNTDOWN_FROM:
        return ""
    return format_html(
        ' <span class="countdown" data-countdown="{}" data-at="{}">{}</span>',
        moment.isoformat(),
        at.isoformat(),
        left_words(moment - at),
    )


@register.simple_tag(takes_context=True)
def overdue(context: Context, due_at: datetime) -> str:
    """The state "Overdue" from the instant on at which something was due; nothing before."""
    at = getattr(context.get("request"), "at", None) or context.get("at")
    return state("Overdue", "bad") if at and at >= due_at else ""


# ---- Money, scores, states


@register.filter
def money(amount: Money | None) -> str:
    """ "$400.00 USD"; nothing for None."""
    return "" if amount is None else str(amount)


@register.filter
def score(value: Fraction | Decimal | int | None) -> str:
    """Three decimals for display ("2.750"); nothing for None. Never compare what this returns."""
    return "" if value is None else three_decimals(Fraction(value))


@register.simple_tag
def state(word: str, kind: str = "muted") -> SafeString:
    """A word with a shape before it; colour only repeats what both say."""
    if kind not in STATE_KINDS:
        raise template.TemplateSyntaxError(f"No state of kind {kind!r}: one of {sorted(STATE_KINDS)}")
    return format_html('<span class="state state-{}">{}</span>', kind, word)


@register.filter
def notice_kind(level_tag: str) -> str:
    """The notice that shows a message of Django's framework."""
    return NOTICE_OF_MESSAGE.get(level_tag, "information")


# ---- Charts: percentages in SVG attributes, so that text keeps its size at any width and no style is inline.


@dataclass(frozen=True, slots=True)
class Bar:
    """One value on the scale: how it is printed, how long its bar is and what it means."""

    name: str
    value: Fraction | None
    shown: str
    width: str
    tone: str
    y: int


@register.filter
def on_scale(value: Fraction | Decimal | int) -> str:
    """Where a value stands between the lowest and the highest, as the percentage an SVG attribute takes."""
    share = (min(max(Fraction(value), LOWEST), HIGHEST) - LOWEST) / (HIGHEST - LOWEST)
    return f"{Decimal(round(share * 10000)).scaleb(-2)}%"


def _tone(value: Fraction, floor: Fraction, threshold: Fraction) -> str:
    if value >= threshold:
        return "chart-fill"
    return "chart-fill chart-fill-low" if value >= floor else "chart-fill chart-fill-bad"


@register.inclusion_tag("components/score_bar.html")
def score_bar(value: Any, floor: Any = Fraction(7, 4), threshold: Any = Fraction(11, 4)) -> dict[str, Any]:
    """One score from 0.75 to 4.25 with the floor and the threshold marked and the value printed."""
    exact, low, enough = Fraction(value), Fraction(floor), Fraction(threshold)
    tone = _tone(exact, low, enough)
    return {"value": exact, "shown": shown(exact, low, enough), "floor": low, "threshold": enough, "tone": tone}


@register.inclusion_tag("components/factor_chart.html")
def factor_chart(
    rows: Any, floor: Any = Fraction(7, 4), threshold: Any = Fraction(11, 4), table: bool = True
) -> dict[str, Any]:
    """The factors as one chart. A row has `.name` and `.value` (None where there is no score yet).

    `table` brings the figures as a table to open; without it the page has one of its own right below.
    """
    low, enough = Fraction(floor), Fraction(threshold)
    bars = [_bar(row, number, low, enough) for number, row in enumerate(rows)]
    return {
        "bars": bars,
        "floor": low,
        "threshold": enough,
        "height": 48 * len(bars) + 24,
        "base": 48 * len(bars),
        "table": table,
    }


def _bar(row: Any, number: int, floor: Fraction, threshold: Fraction) -> Bar:
    name, value = (row["name"], row["value"]) if isinstance(row, dict) else (row.name, row.value)
    if value is None:
        return Bar(name, None, "no score yet", "0%", "", 48 * number)
    exact = Fraction(value)
    printed = shown(exact, floor, threshold)
    return Bar(name, exact, printed, on_scale(exact), _tone(exact, floor, threshold), 48 * number)


# ---- The rubric's twelve values


@dataclass(frozen=True, slots=True)
class Shade:
    """One of the three values of a level."""

    value: str
    word: str
    is_chosen: bool


@register.filter
def shades(level: int, chosen: Any = None) -> list[Shade]:
    """Minus, plain and plus of a level. `chosen` is a Decimal, the text a form posted, or nothing."""
    values = [(Decimal(level) + step, word) for step, word in zip(STEPS, ("minus", "plain", "plus"), strict=True)]
    return [Shade(f"{value:.2f}", word, str(chosen) == f"{value:.2f}") for value, word in values]


STEPS = (Decimal("-0.25"), Decimal("0.00"), Decimal("0.25"))


@register.filter
def file_size(size: int) -> str:
    """Bytes as people say them: "640 KB", "1.2 GB"; steps of 1000, as their own computer counts."""
    for power, unit in ((9, "GB"), (6, "MB"), (3, "KB")):
        if size >= 10**power:
            tenths = size * 10 // 10**power
            return f"{tenths // 10} {unit}" if tenths >= 100 else f"{tenths // 10}.{tenths % 10} {unit}"
    return f"{size} bytes"
