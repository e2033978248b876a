"""The candidate's entries: the board, one entry, and what can be done with it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from candidates import announced, deadlines
from candidates.models import PolicyText
from icg_cert.lib.doors import back_with, refusals_as_page
from icg_cert.lib.refusal import Refused
from portfolios import (
    admission,
    board,
    catalogue,
    completeness,
    consents,
    entries,
    next_steps,
    retention,
    submission,
    unarrived,
    upload_rows,
)
from portfolios.models import Entry, EntryQuerySet, Factor


@login_required
@require_safe
def entry_list(request: HttpRequest) -> HttpResponse:
    found = board.board(request.user, request.at)
    step = next_steps.next_step(found)
    return render(request, "portfolios/entry_list.html", {"board": found, **({"next_step": step} if step else {})})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def entry_start(request: HttpRequest, number: int) -> HttpResponse:
    """What a factor asks for, to be read at any time; in the window, the button that starts its entry."""
    factor = next((factor for factor in catalogue.factors() if factor.number == number), None)
    if factor is None:
        raise Http404("no such factor")
    found = board.board(request.user, request.at)
    card = next((card for card in found.cards if card.factor == factor), None) if found else None
    if card and card.entry:
        return redirect("portfolios:entry-detail", pk=card.entry.pk)
    if request.method == "POST":
        return _start(request, found, factor)
    asked = [(requirement, upload_rows.limits(requirement)) for requirement in factor.requirements.all()]
    context = {"factor": factor, "board": found, "card": card, "asked": asked}
    return render(request, "portfolios/entry_start.html", context)


def _start(request: HttpRequest, found: board.Board | None, factor: Factor) -> HttpResponse:
    if found is None:
        raise Http404("no registration")
    entry = submission.start(found.registration.pk, factor.pk, found.cycle.pk, by=request.user, at=request.at)
    return redirect("portfolios:entry-detail", pk=entry.pk)


@login_required
@require_safe
def entry_detail(request: HttpRequest, pk: int) -> HttpResponse:
    entry = _entry(Entry.objects.visible_to(request.user), pk=pk)
    return render(request, "portfolios/entry_detail.html", detail_context(request, entry))


def _entry(rows: EntryQuerySet, **key: Any) -> Entry:
    related = rows.select_related("registration__cohort").prefetch_related("registration__extensions")
    entry = get_object_or_404(related.with_files(), **key)
    entries.complete([entry])
    return entry


def detail_context(request: HttpRequest, entry: Entry) -> dict[str, Any]:
    """All that an entry's page shows, also when it is shown again with what was wrong."""
    window = deadlines.window_for(entry.registration, entry.cycle)
    is_owner = entry.registration.user_id == request.user.pk
    finish_by = window.closes_at + entry.cycle.grace
    may_edit = admission.may_edit(entry, by=request.user, at=request.at)
    may_finish = is_owner and entry.is_editable and request.at < finish_by
    found = completeness.slots(entry)
    late = unarrived.of(entry) if entry.was_auto_submitted else []
    slots = [upload_rows.slot_view(slot, may_edit=may_edit, may_finish=may_finish, is_owner=is_owner) for slot in found]
    return {
        "entry": entry,
        "window": window,
        "phase": window.phase(request.at),
        "finish_by": finish_by,
        "is_owner": is_owner,
        "may_edit": may_edit,
        "may_send": may_edit or may_finish,
        "may_change": is_owner and entry.registration.is_taking_part and window.contains(request.at),
        "slots": slots,
        "has_remarks": any(row.remarks for view in slots for row in view.rows),
        "gaps": completeness.gaps_of(found),
        "consent_text": announced.texts().get(PolicyText.Kind.CONSENT),
        "late": [upload_rows.late_words(each, is_owner=is_owner) for each in late],
        "withdrawn": consents.withdrawn_from(entry) if entry.manifest else [],
        "keeping": retention.keeping(entry),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def entry_submit(request: HttpRequest, pk: int) -> HttpResponse:
    entry = _entry(Entry.objects.owned_by(request.user), pk=pk)
    if request.method == "POST":
        return _submit(request, entry)
    if entry.status != Entry.Status.DRAFT:
        return redirect("portfolios:entry-detail", pk=pk)
    return render(request, "portfolios/entry_submit.html", detail_context(request, entry))


def _submit(request: HttpRequest, entry: Entry) -> HttpResponse:
    try:
        submission.submit(entry.pk, by=request.user, at=request.at)
    except submission.Incomplete:
        return redirect("portfolios:entry-submit", pk=entry.pk)
    except Refused as refusal:
        return back_with(request, refusal, "portfolios:entry-detail", pk=entry.pk)
    return redirect("portfolios:receipt", code=entry.receipt_code)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def entry_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    entry = _entry(Entry.objects.owned_by(request.user), pk=pk)
    if request.method != "POST":
        return render(request, "portfolios/entry_reopen.html", detail_context(request, entry))
    try:
        submission.reopen(pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "portfolios:entry-detail", pk=pk)
    messages.success(request, "This entry is a draft again. Remember to submit it before the window closes.")
    return redirect("portfolios:entry-detail", pk=pk)
