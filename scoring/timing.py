"""Time on task: what lies between two signs of life counts where it is short; longer was a telephone call or lunch.

The page sends one every half minute while somebody is at it. Where it runs no script every save is one, with a longer
stretch allowed; what lies before the first of them stays unknown.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Aggregate, Count, IntegerField

from candidates.models import Cycle, User
from scoring.models import Sheet, TimeOnSheet

BETWEEN_BEATS = timedelta(seconds=90)  # a page in the background is let run once a minute only
BETWEEN_SAVES = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
FEWEST = 5  # sheets, or a median would speak of persons


class Median(Aggregate):
    """The lower of the two in the middle, as the database knows it."""

    function = "PERCENTILE_DISC"
    template = "%(function)s(1 / 2::numeric) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = IntegerField()


@transaction.atomic
def beat(sheet_id: int, *, by: User, at: datetime) -> TimeOnSheet | None:
    """The page is open and somebody is at it; None once the sheet is final. Sheet.DoesNotExist unless it is theirs."""
    sheet = Sheet.objects.visible_to(by).get(pk=sheet_id)
    return None if sheet.status == Sheet.Status.FINAL else _note(sheet, at, is_beat=True)


def saved(sheet: Sheet, at: datetime) -> TimeOnSheet:
    """Something was saved. In the caller's transaction."""
    return _note(sheet, at, is_beat=False)


def _note(sheet: Sheet, at: datetime, *, is_beat: bool) -> TimeOnSheet:
    defaults = {"seen_at": at, "is_estimated": not is_beat}
    row, is_new = TimeOnSheet.objects.select_for_update().get_or_create(sheet=sheet, defaults=defaults)
    if is_new or not (is_beat or row.is_estimated):
        return row
    row.seconds += counted(row.seen_at, at, BETWEEN_SAVES if row.is_estimated else BETWEEN_BEATS)
    row.seen_at, row.is_estimated = max(row.seen_at, at), row.is_estimated and not is_beat
    row.save(update_fields=["seconds", "seen_at", "is_estimated"])
    return row


def counted(last: datetime, at: datetime, most: timedelta) -> int:
    """Whole seconds from one sign of life to the next; none where it is longer than `most`, or a clock went back."""
    gap = at - last
    return gap // SECOND if timedelta(0) <= gap <= most else 0


def medians(cycle: Cycle) -> dict[int, tuple[int, int]]:
    """Factor to (median minutes, sheets) of final readings whose time is known, where there are enough."""
    final = TimeOnSheet.objects.filter(sheet__assignment__entry__cycle=cycle, sheet__status=Sheet.Status.FINAL)
    rows = final.filter(is_estimated=False).order_by().values_list("sheet__assignment__entry__factor")
    found = rows.annotate(median=Median("seconds"), sheets=Count("pk"))
    return {factor: ((seconds + 30) // 60, count) for factor, seconds, count in found if count >= FEWEST}
