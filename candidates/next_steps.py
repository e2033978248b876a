"""What a candidate should do now about registering. Paying is told by payments, handing in by portfolios."""

from datetime import datetime

from django.urls import reverse

from candidates import announced, calendar, permissions
from candidates.models import Cohort, EvidenceRequest, Registration, User
from icg_cert.lib.next_step import NextStep
from icg_cert.lib.words import day_of

Status = Registration.Status


def next_step(user: User, registrations: list[Registration], at: datetime) -> NextStep | None:
    """Register, answer a question, or wait for the next window; None when another app has the say.

    `registrations` are all of theirs, the newest first (candidates/history.py).
    """
    if any(registration.status == Status.EVIDENCE_REQUESTED for registration in registrations):
        asked = EvidenceRequest.objects.open().filter(registration__in=registrations).first()
        if asked:
            return _answer(asked)
    newest = next(iter(registrations), None)
    if newest and newest.is_standing:
        return None
    if newest is None and permissions.is_team(user):
        return None
    cohort = announced.open_cohort(at)
    if cohort and (newest is None or newest.cohort_id != cohort.pk):
        return _register(cohort)
    return _wait(newest, at)


def _answer(asked: EvidenceRequest) -> NextStep:
    return NextStep(
        title="Answer our question about your eligibility",
        text="We check some registrations. Until you answer, we cannot confirm yours; you lose nothing meanwhile.",
        url=reverse("candidates:evidence-answer", args=[asked.pk]),
        action="Answer the question",
    )


def _register(cohort: Cohort) -> NextStep:
    return NextStep(
        title=f"Register for certification in {cohort.year}",
        text="It takes about ten minutes. Have your hours by kind of work and your supervisor's e-mail at hand.",
        url=reverse("candidates:register"),
        action="Register",
        deadline=cohort.registration_closes_at,
    )


def _wait(newest: Registration | None, at: datetime) -> NextStep:
    window = calendar.next_registration(at)
    ended = f"Your registration in cohort {newest.cohort.number} has ended. " if newest else ""
    when = f"You can register from {day_of(window.opens_at)}." if window else "The dates will stand here."
    url = reverse("candidates:registration-detail", args=[newest.pk]) if newest else reverse("candidates:register")
    action = "See your registration" if newest else "See when registration opens"
    return NextStep("Registration is not open to you now", f"{ended}{when}", url, action, kind="wait")
