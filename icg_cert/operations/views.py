"""What monitors ask, and the page on which staff see what the portal does by itself."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from candidates.permissions import is_staff
from icg_cert.celery import JOBS
from icg_cert.lib import clock
from icg_cert.lib.doors import only_for
from icg_cert.lib.words import span_words
from icg_cert.operations import metrics, readiness
from icg_cert.operations.models import Job

EVERY = timedelta(minutes=1)
WORST_FIRST = ["bad", "warn", "muted", "good"]


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the portal can do its work, 503 when a part of it cannot, and which."""
    report = readiness.report(clock.wall())
    is_ready = all(answer == readiness.OK for answer in report.values())
    return JsonResponse(report, status=200 if is_ready else 503)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """For whoever knows METRICS_TOKEN; to everybody else there is no such page."""
    asked = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not constant_time_compare(asked, settings.METRICS_TOKEN):
        raise Http404
    return HttpResponse(metrics.text(clock.wall()), content_type=CONTENT_TYPE_LATEST)


@dataclass(frozen=True, slots=True)
class Line:
    """One job as the page shows it."""

    words: str
    job: Job
    state: str
    kind: str
    ago: str
    next: str


@login_required
@only_for(is_staff)
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    wall, known = clock.wall(), {job.name: job for job in Job.objects.all()}
    lines = [_line(words, known.get(name) or Job(name=name, known_since=wall), wall) for name, words in JOBS.items()]
    lines.sort(key=lambda line: WORST_FIRST.index(line.kind))
    return render(request, "operations/jobs.html", {"lines": lines, "is_wrong": lines[0].kind == "bad"})


def _line(words: str, job: Job, wall: datetime) -> Line:
    ago = f"{_span(wall - job.ended_at)} ago" if job.ended_at else "Never"
    left = job.began_at + EVERY - wall if job.began_at else timedelta(0)
    return Line(words, job, *_state(job, wall), ago, f"in {_span(left)}" if left > timedelta(0) else "due")


def _span(span: timedelta) -> str:
    return f"{int(span.total_seconds())} s" if span < EVERY else span_words(span)


def _state(job: Job, wall: datetime) -> tuple[str, str]:
    if job.is_late(wall):
        return ("Fails", "bad") if job.failures else ("Late", "bad")
    if job.failures:
        return "Tries again", "warn"
    return ("Runs", "good") if job.ended_at else ("Not yet", "muted")
