"""The scoring sheet: what was handed in on the left, the judgement on the right."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from icg_cert.lib.doors import Request, refusals_as_page, refuse_form, whole_number
from icg_cert.lib.refusal import Refused
from portfolios import consents, viewing
from portfolios.models import Upload
from portfolios.viewing import Showing
from scoring import back_reading, handover, sheets, timing
from scoring.forms import RecuseForm, SheetForm, evidence_name, initial_of
from scoring.models import Sheet, Trial
from scoring.scores import sheet_score
from scoring.timestamps import Films

PREFETCHED = ["ratings", "feedback", "rubric__criteria", "rubric__levels"]


def get_sheet(request: Request, pk: int) -> Sheet:
    """The scorer's own sheet with what its page shows; 404 for everybody else's."""
    sheets_ = Sheet.objects.visible_to(request.user).select_related(
        "rubric",
        "assignment__entry__factor",
        "assignment__entry__cycle",
        "assignment__entry__registration",
        "trial__benchmark__entry__factor",
        "trial__cycle",
    )
    return get_object_or_404(sheets_.prefetch_related(*PREFETCHED), pk=pk)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sheet(request: Request, pk: int) -> HttpResponse:
    shown = get_sheet(request, pk)
    if request.method != "POST":
        return _page(request, shown, SheetForm(sheet=shown))
    form = SheetForm(request.POST, sheet=shown)
    answer = _autosaved if "application/json" in request.headers.get("Accept", "") else _saved
    return answer(request, shown, form)


@contextmanager
def _still_theirs() -> Iterator[None]:
    """A sheet that was passed on while the press was under way is as much somebody else's as any."""
    try:
        yield
    except Sheet.DoesNotExist as error:
        raise Http404 from error


def _save(request: Request, shown: Sheet, form: SheetForm) -> Sheet:
    with _still_theirs():
        return sheets.save(
            shown.pk,
            version=form.cleaned_data["version"],
            new=form.content(),
            by=request.user,
            at=request.at,
        )


def _saved(request: Request, shown: Sheet, form: SheetForm) -> HttpResponse:
    if not form.is_valid():
        return _page(request, shown, form, status=422)
    try:
        _save(request, shown, form)
    except Refused as refusal:
        return _conflict(request, get_sheet(request, shown.pk), form, refusal)
    if request.POST.get("then") == "finalise":
        return redirect("scoring:sheet-finalise", pk=shown.pk)
    messages.success(request, "Your sheet is saved. You can go on now or later.")
    return redirect("scoring:sheet", pk=shown.pk)


def _conflict(request: Request, current: Sheet, form: SheetForm, refusal: Refused) -> HttpResponse:
    """What was typed stays in the form, which now carries the newest version: saving again is a decision to keep it."""
    typed = request.POST.copy()
    typed["version"] = str(current.version)
    retry = SheetForm(typed, sheet=current)
    refuse_form(retry, refusal)
    changed = _differences(current, form) if refusal.code == "stale" else []
    return _page(request, current, retry, status=409, changed=changed)


def _differences(current: Sheet, form: SheetForm) -> list[dict[str, str]]:
    """Field by field what the other tab saved, where it differs from what was typed here."""
    saved = sheets.content(current)
    typed = form.content()
    rows = []
    for criterion in form.criteria:
        there, here = saved.ratings[criterion.pk], typed.ratings[criterion.pk]
        if there.value != here.value:
            rows.append({"name": criterion.name, "saved": "no value" if there.value is None else f"{there.value:.2f}"})
        if there.evidence != here.evidence:
            rows.append({"name": f"Evidence for {criterion.name}", "saved": there.evidence or "empty"})
    if saved.comment != typed.comment:
        rows.append({"name": "Comment to the candidate", "saved": saved.comment or "empty"})
    if saved.feedback != typed.feedback:
        rows.append({"name": "Feedback statements", "saved": f"{len(saved.feedback)} chosen"})
    return rows


def _autosaved(request: Request, shown: Sheet, form: SheetForm) -> JsonResponse:
    """For sheet.js: 200 the new version, 409 what another tab saved, 422 what cannot be saved as it is."""
    if not form.is_valid():
        return JsonResponse({"code": "invalid", "message": "Not saved yet.", "fields": form.errors}, status=422)
    try:
        saved = _save(request, shown, form)
    except Refused as refusal:
        current = get_sheet(request, shown.pk)
        answer = {
            "code": refusal.code,
            "message": refusal.message,
            "saved": initial_of(current, sheets.content(current)),
        }
        return JsonResponse(answer, status=409)
    moments = _moments(shown, form)
    return JsonResponse({"version": saved.version, "saved_at": saved.saved_at, "moments": moments})


def _moments(shown: Sheet, form: SheetForm) -> dict[str, str]:
    """By the name of the note's field, what the page shows beside it."""
    films = _films(_showings(shown))
    return {
        evidence_name(key): render_to_string("scoring/_moments.html", {"note": rated.evidence, "films": films}).strip()
        for key, rated in form.content().ratings.items()
    }


def _page(request: Request, shown: Sheet, form: SheetForm, status: int = 200, **more: Any) -> HttpResponse:
    showings = _showings(shown)
    context = {
        "sheet": shown,
        "entry": shown.entry,
        "form": form,
        "showings": showings,
        "films": _films(showings),
        "notes": back_reading.notes_for(request.user).filter(sheet=shown),
        "withdrawn": consents.withdrawn_from(shown.entry),
        "is_final": shown.status == Sheet.Status.FINAL,
        **more,
    }
    return render(request, "scoring/sheet.html", context, status=status)


def _showings(shown: Sheet) -> list[Showing]:
    return viewing.showings(Upload.objects.filter(entry=shown.entry))


def _films(showings: list[Showing]) -> Films:
    """The films one can be sent to."""
    return {showing.number: showing.seconds for showing in showings if showing.number and showing.best}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sheet_finalise(request: Request, pk: int) -> HttpResponse:
    """A page to look at it all once more; the version looked at is what becomes final."""
    shown = get_sheet(request, pk)
    if request.method == "POST":
        return _finalised(request, shown)
    if shown.status == Sheet.Status.FINAL:
        return redirect("scoring:sheet", pk=pk)
    return render(request, "scoring/sheet_finalise.html", _summary(shown))


def _finalised(request: Request, shown: Sheet) -> HttpResponse:
    version = whole_number(request.POST.get("version", ""))
    try:
        seen = -1 if version is None else version
        with _still_theirs():
            sheets.finalise(shown.pk, version=seen, by=request.user, at=request.at)
    except Refused as refusal:
        return render(request, "scoring/sheet_finalise.html", _summary(shown) | {"refusal": refusal}, status=409)
    messages.success(request, "The sheet is final. Thank you.")
    return _onward(shown)


def _onward(shown: Sheet) -> HttpResponse:
    """From what counts, and from what looks like it, back to the queue."""
    use = shown.trial.use if shown.trial else ""
    if use == Trial.Use.CALIBRATION:
        return redirect("scoring:calibration-feedback", pk=shown.pk)
    if use == Trial.Use.REFERENCE:
        return redirect("scoring:benchmark", pk=shown.trial.benchmark_id)
    return redirect("scoring:queue")


def _summary(shown: Sheet) -> dict[str, Any]:
    lacks = sheets.missing(shown)
    saved = sheets.content(shown)
    values = [one.value for one in saved.ratings.values() if one.value is not None]
    whole = values if len(values) == len(saved.ratings) else []
    return {
        "sheet": shown,
        "entry": shown.entry,
        "films": _films(_showings(shown)),
        "rows": [(criterion, saved.ratings[criterion.pk]) for criterion in shown.rubric.criteria.all()],
        "lacks": lacks.values(),
        "score": sheet_score(whole) if whole else None,
        "statements": shown.feedback.all(),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def sheet_recuse(request: Request, pk: int) -> HttpResponse:
    shown = get_sheet(request, pk)
    form = RecuseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        with _still_theirs():
            handover.recuse(pk, reason=reason, by=request.user, at=request.at)
        messages.success(request, "Thank you for saying so. Somebody else reads this candidate now.")
        return redirect("scoring:queue")
    return render(request, "scoring/sheet_recuse.html", {"sheet": shown, "entry": shown.entry, "form": form})


@login_required
@require_POST
def sheet_time(request: Request, pk: int) -> HttpResponse:
    """A sign of life of the page; see scoring/timing.py."""
    with _still_theirs():
        timing.beat(pk, by=request.user, at=request.at)
    return HttpResponse(status=204)
