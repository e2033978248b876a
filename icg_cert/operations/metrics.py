"""The portal in numbers for Prometheus, read from the rows when asked: no process needs to remember anything."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Count
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from candidates.models import Registration
from icg_cert.celery import JOBS
from icg_cert.mail.models import Message
from icg_cert.operations.models import Job
from payments.models import Attempt, Delivery
from portfolios.models import Entry, Upload
from scoring.models import Sheet

# Name, what it counts, the rows, the field that tells them apart, and its values, so that a zero is said, too.
COUNTED = [
    ("mail_messages", "E-mails", Message, "state", Message.State),
    ("registrations", "Registrations", Registration, "status", Registration.Status),
    ("entries", "Portfolio entries", Entry, "status", Entry.Status),
    ("uploads", "Uploads", Upload, "state", Upload.State),
    ("sheets", "Scoring sheets", Sheet, "status", Sheet.Status),
    ("payment_attempts", "Payment attempts", Attempt, "state", Attempt.State),
    ("webhook_deliveries", "Deliveries of payment providers", Delivery, "state", Delivery.State),
]


class Portal:
    """A prometheus_client collector."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def collect(self) -> Iterator[GaugeMetricFamily]:
        for name, words, model, field, values in COUNTED:
            yield _counted(name, words, model, field, values)
        yield from self._jobs()

    def _jobs(self) -> Iterator[GaugeMetricFamily]:
        age = GaugeMetricFamily("icg_job_age_seconds", "Since a job last did what it should", labels=["job"])
        failures = GaugeMetricFamily("icg_job_failures", "Failures of a job in a row", labels=["job"])
        for job in Job.objects.filter(name__in=JOBS):
            age.add_metric([job.name], (self.at - job.well_at).total_seconds())
            failures.add_metric([job.name], job.failures)
        yield from (age, failures)


def _counted(name: str, words: str, model: type, field: str, values: type) -> GaugeMetricFamily:
    found = dict(model.objects.order_by().values_list(field).annotate(Count("pk")))  # type: ignore[attr-defined]
    family = GaugeMetricFamily(f"icg_{name}", words, labels=[field])
    for value in values:  # type: ignore[attr-defined]
        family.add_metric([str(value)], found.get(value, 0))
    return family


def text(at: datetime) -> bytes:
    """All numbers in the text format of Prometheus."""
    registry = CollectorRegistry()
    registry.register(Portal(at))
    return generate_latest(registry)
