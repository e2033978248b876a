"""Calibration of a scorer: where they stand per factor, the next benchmark, and what came of each."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from icg_cert.lib.doors import Request, back_with, only_for
from icg_cert.lib.refusal import Refused
from portfolios.models import Factor
from scoring import calibration, qualified, trials
from scoring.models import Sheet, Trial
from scoring.permissions import is_scorer


@never_cache
@login_required
@only_for(is_scorer)
@require_safe
def calibration_list(request: Request) -> HttpResponse:
    return render(
        request, "scoring/calibration_list.html", {"standings": qualified.of_scorer(request.user, request.at)}
    )


@login_required
@only_for(is_scorer)
@require_POST
def calibration_begin(request: Request, number: int) -> HttpResponse:
    factor = get_object_or_404(Factor, number=number)
    try:
        sheet = calibration.begin(factor, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "scoring:calibration-list")
    return redirect("scoring:sheet", pk=sheet.pk)


@never_cache
@login_required
@require_safe
def calibration_feedback(request: Request, pk: int) -> HttpResponse:
    """What the scorer gave, what it deserves, and why; for what is measured among live readings, as good as absent."""
    mine = Sheet.objects.visible_to(request.user).final().filter(trial__use=Trial.Use.CALIBRATION)
    sheet = get_object_or_404(mine.select_related("trial__calibration__factor", "trial__calibration__standard"), pk=pk)
    whole = sheet.trial.calibration
    read = list(whole.trials.filter(sheet__status=Sheet.Status.FINAL).values_list("pk", flat=True))
    context = {
        "sheet": sheet,
        "calibration": whole,
        "place": read.index(sheet.trial_id) + 1,
        "rows": trials.compared(sheet.trial),
        "is_last": len(read) >= whole.standard.benchmarks,
    }
    return render(request, "scoring/calibration_feedback.html", context)
