"""Days, times and scores as people read them: the one place where they become words, for pages, mails and PDFs."""

from datetime import date, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from django.conf import settings

# Names people use; elsewhere the city stands for its zone ("Berlin time").
ZONE_NAMES = {
    "America/New_York": "Eastern Time",
    "America/Detroit": "Eastern Time",
    "America/Chicago": "Central Time",
    "America/Denver": "Mountain Time",
    "America/Boise": "Mountain Time",
    "America/Phoenix": "Arizona time",
    "America/Los_Angeles": "Pacific Time",
    "America/Anchorage": "Alaska Time",
    "Pacific/Honolulu": "Hawaii time",
    "UTC": "UTC",
    "Etc/UTC": "UTC",
}


def day_of(moment: datetime) -> str:
    """The day of an aware instant in the programme's zone: "1 November 2027"."""
    return day_words(moment.astimezone(ZoneInfo(settings.TIME_ZONE)).date())


def last_day_of(closes_at: datetime) -> str:
    """The last day one can still act, of a half-open end: "30 November 2027"."""
    return day_of(closes_at - timedelta(microseconds=1))


def days_words(first: date, last: date) -> str:
    if first == last:
        return day_words(last)
    if first.year != last.year:
        return f"{day_words(first)} to {day_words(last)}"
    return f"{first.day}{'' if first.month == last.month else f' {first:%B}'} to {day_words(last)}"


def window_words(opens_at: datetime, closes_at: datetime) -> str:
    """A half-open window as it is announced in the programme's zone, both days included: "1 May to 15 June 2027"."""
    zone = ZoneInfo(settings.TIME_ZONE)
    return days_words(opens_at.astimezone(zone).date(), (closes_at - timedelta(microseconds=1)).astimezone(zone).date())


def day_words(on: date) -> str:
    return f"{on.day} {on:%B} {on.year}"


def clock_words(moment: datetime) -> str:
    """ "11:59 p.m." of an aware instant, in its own zone."""
    return f"{moment.hour % 12 or 12}:{moment:%M} {'a.m.' if moment.hour < 12 else 'p.m.'}"


def zone_name(zone: str) -> str:
    """ "Central Time" of "America/Chicago", "Berlin time" of "Europe/Berlin"."""
    return ZONE_NAMES.get(zone) or f"{zone.rsplit('/', 1)[-1].replace('_', ' ')} time"


def left_words(left: timedelta) -> str:
    """ "3 days 4 hours left": the two largest units, for what is still to come."""
    return f"{span_words(left)} left"


def span_words(left: timedelta) -> str:
    """ "3 days 4 hours": the two largest units."""
    minutes = int(left.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [_count(days, "day"), _count(hours, "hour")] if days else [_count(hours, "hour"), _count(rest, "minute")]
    return " ".join(part for part in parts if part) or "less than a minute"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}" if number else ""


def three_decimals(score: Fraction) -> str:
    """A score as reports print it, "2.667", halves rounded up. For the eye only: comparisons use the exact value."""
    thousandths = int(abs(score) * 1000 + Fraction(1, 2))
    sign = "-" if score < 0 and thousandths else ""
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03}"


def shown(score: Fraction, *marks: Fraction) -> str:
    """The same, but "just below 2.750" for a score that rounding would lift to a mark that it does not reach."""
    rounded = three_decimals(score)
    is_lifted = any(score < mark <= Fraction(rounded) for mark in marks)
    return f"just below {rounded}" if is_lifted else rounded
