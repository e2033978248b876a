"""Entries for pages to show: what the programme says of them comes from memory, their files with them."""

from collections.abc import Iterable, Sequence

from django.db.models import prefetch_related_objects

from candidates import announced
from candidates.models import Registration
from portfolios import catalogue
from portfolios.models import Entry, Upload


def of(registrations: Iterable[Registration]) -> list[Entry]:
    """All that these people began or handed in, by factor and year, but for the manifests. Two queries."""
    whose = {registration.pk: registration for registration in registrations}
    found = list(Entry.objects.filter(registration__in=whose).with_files().defer("manifest").order_by())
    for entry in found:
        entry.registration = whose[entry.registration_id]
    complete(found)
    return sorted(found, key=lambda entry: (entry.factor.number, entry.cycle.year))


def complete(entries: Sequence[Entry]) -> None:
    """Give entries fetched `with_files` their factor, cycle and requirements, and what has arrived of open uploads."""
    factors = {factor.pk: factor for factor in catalogue.factors()}
    requirements = {asked.pk: asked for factor in factors.values() for asked in factor.requirements.all()}
    cycles = {cycle.pk: cycle for cycle in announced.cycles()}
    uploads = [upload for entry in entries for upload in entry.uploads.all()]
    # What was announced after this request began is not in memory: there Django asks for it, as ever.
    for entry in entries:
        entry.factor = factors.get(entry.factor_id) or entry.factor
        entry.cycle = cycles.get(entry.cycle_id) or entry.cycle
    for upload in uploads:
        upload.requirement = requirements.get(upload.requirement_id) or upload.requirement
    prefetch_related_objects([upload for upload in uploads if upload.state == Upload.State.OPEN], "parts")
