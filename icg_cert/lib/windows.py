"""Half-open windows of time [opens_at, closes_at) and the inclusive days they are announced as. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Phase(StrEnum):
    BEFORE = "before"
    OPEN = "open"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class Window:
    """From `opens_at` (included) to `closes_at` (not included); both aware."""

    opens_at: datetime
    closes_at: datetime

    def contains(self, at: datetime) -> bool:
        return self.opens_at <= at < self.closes_at

    def phase(self, at: datetime) -> Phase:
        if at < self.opens_at:
            return Phase.BEFORE
        return Phase.OPEN if at < self.closes_at else Phase.AFTER


def start_of(day: date, zone: str) -> datetime:
    """The first instant of `day` in `zone`. Midnight exists on every day of the zones we serve; 00:00 is fold 0."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))


def whole_days(first: date, last: date, zone: str) -> Window:
    """The window that is announced as "first to last": both days included, in `zone`."""
    return Window(start_of(first, zone), start_of(last + timedelta(days=1), zone))


def last_day(closes_at: datetime, zone: str) -> date:
    """The last day people may still act, as it is announced, for a half-open end."""
    return (closes_at - timedelta(microseconds=1)).astimezone(ZoneInfo(zone)).date()
