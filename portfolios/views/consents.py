"""The candidate's pages on what the people in their film agreed to: stating it, and taking it back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from candidates import announced, deadlines
from candidates.models import PolicyText
from icg_cert.lib.doors import back_with, refuse_form
from icg_cert.lib.refusal import Refused
from portfolios import admission, consents
from portfolios.forms import ConsentForm, WithdrawForm
from portfolios.models import Consent, Requirement, Upload

Purpose = Consent.Purpose


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload_consent(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Which releases the candidate holds for a film, and whether it may be used for training, too."""
    upload = _own_film(request, pk)
    is_for_training = consents.is_for_training(upload)
    texts = announced.texts()
    asks_training = not is_for_training and PolicyText.Kind.TRAINING in texts
    form = ConsentForm(
        request.POST if request.method == "POST" else None, initial=_initial(upload), asks_training=asks_training
    )
    if request.method == "POST" and form.is_valid() and _confirmed(request, upload, form):
        messages.success(request, f"{upload.requirement.title}: your confirmation is noted.")
        return redirect("portfolios:entry-detail", pk=upload.entry_id)
    context = {
        "upload": upload,
        "form": form,
        "consent_text": texts.get(PolicyText.Kind.CONSENT),
        "training_text": texts.get(PolicyText.Kind.TRAINING),
        "is_for_training": is_for_training,
        "is_gone": upload.state in Upload.GONE or upload.purged_at,
        "may_state": form.is_bound or asks_training or _is_open(upload, request.at),
        "lines": upload.consents.select_related("text").order_by("at", "pk"),
    }
    return render(request, "portfolios/upload_consent.html", context)


def _is_open(upload: Upload, at: datetime) -> bool:
    return upload.entry.is_editable and at < admission.finish_by(upload.entry)


def _initial(upload: Upload) -> dict[str, Any]:
    """What was stated before. A tick is the candidate's own: it stands only where they set it on uploading."""
    return {"agreed": bool(upload.consented_at), "releases": upload.consent.releases if upload.consent else ""}


def _confirmed(request: HttpRequest, upload: Upload, form: ConsentForm) -> bool:
    try:
        named = form.cleaned_data["releases"].splitlines()
        consents.confirm(upload.pk, releases=named, by=request.user, at=request.at)
        if form.cleaned_data.get("training"):
            consents.allow_training(upload.pk, by=request.user, at=request.at)
    except Refused as refusal:
        refuse_form(form, refusal)
        return False
    return True


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def upload_withdraw(request: HttpRequest, pk: UUID, purpose: str) -> HttpResponse:
    """What will happen when somebody in the film takes their consent back; for training alone, next to nothing."""
    if purpose not in Purpose:
        raise Http404("no such purpose")
    upload = _own_film(request, pk)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        return _withdrawn(request, upload, purpose, form.cleaned_data["reason"])
    entry = upload.entry
    context = {
        "upload": upload,
        "entry": entry,
        "form": form,
        "closes_at": deadlines.closes_at(entry.registration, entry.cycle),
        "is_open": request.at < deadlines.closes_at(entry.registration, entry.cycle),
        "reopens": consents.reopens(entry, upload, request.at),
        "is_training": purpose == Purpose.TRAINING,
    }
    return render(request, "portfolios/upload_withdraw.html", context)


def _withdrawn(request: HttpRequest, upload: Upload, purpose: str, reason: str) -> HttpResponse:
    verb = consents.withdraw_training if purpose == Purpose.TRAINING else consents.withdraw
    try:
        verb(upload.pk, reason=reason, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "portfolios:entry-detail", pk=upload.entry_id)
    words = (
        "It is used for scoring alone."
        if purpose == Purpose.TRAINING
        else "The video is withdrawn. Nobody can see it any more."
    )
    messages.success(request, f"{upload.requirement.title}: {words}")
    return redirect("portfolios:entry-detail", pk=upload.entry_id)


def _own_film(request: HttpRequest, pk: UUID) -> Upload:
    rows = Upload.objects.owned_by(request.user).filter(requirement__kind=Requirement.Kind.VIDEO)
    related = ["requirement", "consent", "entry__factor", "entry__cycle", "entry__registration"]
    return get_object_or_404(rows.select_related(*related), pk=pk)
