"""Registering, and the pages of one's registration."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates import announced, calendar, eligibility, evidence, profile, registration
from candidates.forms import EvidenceForm, ProfileForm, RegistrationForm
from candidates.models import Cohort, EvidenceRequest, PolicyText, Programme, Registration
from icg_cert.lib import kept
from icg_cert.lib.doors import Request, back_with, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused

KEPT_FIELDS = list(RegistrationForm.base_fields)
ANSWER_FIELDS = list(EvidenceForm.base_fields)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def register(request: Request) -> HttpResponse:
    """The registration form inside the window; else when the next opens, or the registration one has."""
    cohort = announced.open_cohort(request.at)
    mine = _registration_to_show(request, cohort)
    if mine:
        return redirect("candidates:registration-detail", pk=mine.pk)
    if cohort is None:
        return _register_closed(request)
    if not request.user.is_authenticated:
        return _register_signed_out(request, cohort)
    return _register_form(request, cohort)


def _registration_to_show(request: Request, cohort: Cohort | None) -> Registration | None:
    """The person's row in the open cohort, or the one under way; between windows, the newest that stands."""
    if not request.user.is_authenticated:
        return None
    mine = Registration.objects.filter(user=request.user).order_by("-cohort__year")
    if cohort is None:
        return mine.standing().first()
    return mine.filter(cohort=cohort).first() or mine.under_way(request.at).first()


def _register_closed(request: Request) -> HttpResponse:
    context = {
        "last": Cohort.objects.filter(registration_closes_at__lte=request.at).first(),
        "next_window": calendar.next_registration(request.at),
        "was_posted": request.method == "POST",
    }
    return render(request, "candidates/register_closed.html", context, status=409 if request.method == "POST" else 200)


def _register_signed_out(request: Request, cohort: Cohort) -> HttpResponse:
    if request.method == "POST":
        return kept.keep(request, KEPT_FIELDS)
    context = {"cohort": cohort, "programme": Programme.objects.get(), "next": request.path}
    return render(request, "candidates/register_start.html", context)


def _register_form(request: Request, cohort: Cohort) -> HttpResponse:
    is_posted = request.method == "POST"
    programme, attestation = Programme.objects.get(), PolicyText.current(PolicyText.Kind.ATTESTATION)
    restored = {} if is_posted else kept.take(request)
    initial = {"name": request.user.name, "time_zone": request.user.time_zone, **restored}
    form = RegistrationForm(
        request.POST if is_posted else None, initial=initial, programme=programme, attestation=attestation
    )
    made = _register(request, form) if is_posted else None
    if made:
        return redirect("candidates:registration-detail", pk=made.pk)
    context = {"form": form, "cohort": cohort, "programme": programme, "is_restored": bool(restored)}
    return render(request, "candidates/register.html", context)


def _register(request: Request, form: RegistrationForm) -> Registration | None:
    if not form.is_valid():
        return None
    typed = form.cleaned_data
    try:
        with transaction.atomic():
            person = profile.change(
                request.user.pk, name=typed["name"], time_zone=typed["time_zone"], by=request.user, at=request.at
            )
            made = registration.register(form.statement(), by=person, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return None
    messages.success(request, "You are registered. We have sent you a confirmation by e-mail.")
    return made


@never_cache
@login_required
@require_safe
def registration_detail(request: Request, pk: int) -> HttpResponse:
    rows = Registration.objects.visible_to(request.user).select_related("user", "cohort", "attestation")
    mine = get_object_or_404(rows, pk=pk)
    share = eligibility.coaching_share(mine.hours)
    cycles = announced.cycles_of(mine.cohort)
    context = {
        "registration": mine,
        "is_owner": mine.user_id == request.user.pk,
        "can_withdraw": Registration.Status.WITHDRAWN in Registration.NEXT[mine.status],
        "hours": mine.hours,
        "coaching_percent": None if share is None else eligibility.percent(share),
        "cycles": cycles,
        "next_cycle": next((cycle for cycle in cycles if request.at < cycle.closes_at), None),
        "evidence_requests": EvidenceRequest.objects.visible_to(request.user).filter(registration=mine),
        "next_window": calendar.next_registration(request.at),
    }
    return render(request, "candidates/registration_detail.html", context)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def registration_withdraw(request: Request, pk: int) -> HttpResponse:
    mine = get_object_or_404(request.user.registrations.select_related("cohort"), pk=pk)
    if request.method != "POST":
        return render(request, "candidates/registration_withdraw.html", {"registration": mine})
    try:
        registration.withdraw(mine.pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "candidates:registration-detail", pk=mine.pk)
    messages.success(request, "Your registration is withdrawn. We have sent you a confirmation by e-mail.")
    return redirect("candidates:registration-detail", pk=mine.pk)


@never_cache
@kept.sign_in_keeping(*ANSWER_FIELDS)
@require_http_methods(["GET", "HEAD", "POST"])
def evidence_answer(request: Request, pk: int) -> HttpResponse:
    rows = EvidenceRequest.objects.filter(registration__user=request.user).select_related("registration__cohort")
    asked = get_object_or_404(rows, pk=pk)
    back = redirect("candidates:registration-detail", pk=asked.registration_id)
    if request.method == "POST":
        form, restored = EvidenceForm(request.POST, request.FILES), {}
        if form.is_valid() and _answer(request, asked, form):
            return back
    else:
        if not EvidenceRequest.objects.open().filter(pk=asked.pk).exists():
            return back
        restored = kept.take(request)
        form = EvidenceForm(initial=restored)
    context = {"form": form, "evidence_request": asked, "is_restored": bool(restored)}
    return render(request, "candidates/evidence_answer.html", context)


def _answer(request: Request, asked: EvidenceRequest, form: EvidenceForm) -> bool:
    words, document = form.cleaned_data["answer"], form.cleaned_data["document"]
    try:
        evidence.answer(asked.pk, words=words, document=document, by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    messages.success(request, "Thank you, your answer has arrived. You need do nothing more for now.")
    return True


@never_cache
@login_required
@require_safe
def evidence_document(request: Request, pk: int) -> FileResponse:
    """The PDF of an answer, only ever as a download: it came from outside and is not shown as a page of ours."""
    asked = get_object_or_404(EvidenceRequest.objects.visible_to(request.user), pk=pk)
    if not asked.document:
        raise Http404
    response = FileResponse(
        asked.document.open(), as_attachment=True, filename=f"evidence-{asked.pk}.pdf", content_type="application/pdf"
    )
    response["X-Content-Type-Options"] = "nosniff"
    return response


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def profile_change(request: Request) -> HttpResponse:
    person = request.user
    form = ProfileForm(request.POST or None, initial={"name": person.name, "time_zone": person.time_zone})
    if request.method == "POST" and form.is_valid():
        profile.change(person.pk, **form.cleaned_data, by=person, at=request.at)
        messages.success(request, "Your name and time zone are saved.")
        return redirect("candidates:profile-change")
    return render(request, "candidates/profile_change.html", {"form": form})
