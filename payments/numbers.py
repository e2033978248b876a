"""Numbers of our papers: one after the other within a year, none missing and none twice."""

from datetime import date

from payments.models import NumberSeries

QUOTE, INVOICE, CREDIT_NOTE = "Q", "INV", "CN"


def next_number(kind: str, *, on: date) -> str:
    """The next number of a kind ("Q", "INV", "CN") in the year of a day: "INV-2026-0001".

    Belongs inside the caller's transaction, late in it: the year's counter stays locked until that ends, so that a
    number is given back when what it was for is rolled back, and everybody else waits to learn which.
    """
    NumberSeries.objects.get_or_create(kind=kind, year=on.year)
    series = NumberSeries.objects.select_for_update().get(kind=kind, year=on.year)
    series.last += 1
    series.save(update_fields=["last"])
    return f"{kind}-{on.year}-{series.last:04}"
