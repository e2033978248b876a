"""Reading along, for leads: which sheets are proposed, one of them read-only, and a note to its scorer."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from icg_cert.lib.doors import Request, back_with, only_for, refuse_form
from icg_cert.lib.refusal import Refused
from portfolios import viewing
from portfolios.models import Upload
from scoring import back_reading
from scoring.back_reading_forms import NoteForm
from scoring.forms import SheetForm
from scoring.models import BackReading, Sheet
from scoring.permissions import is_lead

SHOWN = [f"sheet__{name}" for name in (*back_reading.SHOWN, "rubric")]
PREFETCHED = [f"sheet__{name}" for name in ("ratings", "feedback", "rubric__criteria", "rubric__levels")]
LISTED = 20


@never_cache
@login_required
@only_for(is_lead)
@require_safe
def back_reading_list(request: Request) -> HttpResponse:
    context = {
        "proposed": back_reading.proposed(request.user, request.at),
        "mine": request.user.back_readings.select_related(*SHOWN)[:LISTED],
    }
    return render(request, "scoring/back_reading_list.html", context)


@login_required
@only_for(is_lead)
@require_POST
def back_reading_open(request: Request, pk: int) -> HttpResponse:
    """`pk` is the sheet's."""
    try:
        opened = back_reading.open_sheet(pk, by=request.user, at=request.at)
    except Sheet.DoesNotExist as error:
        raise Http404 from error
    except Refused as refusal:
        return back_with(request, refusal, "scoring:back-reading-list")
    return redirect("scoring:back-reading", pk=opened.pk)


@never_cache
@login_required
@only_for(is_lead)
@require_http_methods(["GET", "HEAD", "POST"])
def back_reading_of(request: Request, pk: int) -> HttpResponse:
    mine = BackReading.objects.filter(lead=request.user).select_related(*SHOWN).prefetch_related(*PREFETCHED)
    one = get_object_or_404(mine, pk=pk)
    form = NoteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            back_reading.send(pk, **form.cleaned_data, by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Sent. Thank you for reading along.")
            return redirect("scoring:back-reading-list")
    showings = viewing.showings(Upload.objects.filter(entry=one.sheet.entry))
    context = {
        "one": one,
        "sheet": one.sheet,
        "entry": one.sheet.entry,
        "form": SheetForm(sheet=one.sheet),
        "note_form": form,
        "is_final": True,
        "showings": showings,
        "films": [showing.number for showing in showings if showing.number and showing.best],
    }
    return render(request, "scoring/back_reading.html", context, status=409 if form.errors else 200)
