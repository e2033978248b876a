"""Benchmarks, for leads: which there are, what they deserve, and who signed that. Staff look."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from icg_cert.lib.doors import Request, back_with, only_for, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from portfolios import viewing
from portfolios.models import Upload
from scoring import benchmarks
from scoring.benchmark_forms import BenchmarkForm, ReasonForm
from scoring.models import Benchmark, Reference, Trial
from scoring.models.calibration import SIGNATURES
from scoring.permissions import is_lead, sees_board


def _all() -> QuerySet[Benchmark]:
    references = Reference.objects.select_related("written_by", "rubric").prefetch_related("signatures__by")
    rows = Benchmark.objects.select_related("entry__factor", "entry__cycle", "chosen_by")
    return rows.prefetch_related(Prefetch("references", references, to_attr="versions"))


@login_required
@only_for(sees_board)
@require_safe
def benchmark_list(request: Request) -> HttpResponse:
    context = {"benchmarks": _all(), "signatures": SIGNATURES, "may_write": is_lead(request.user)}
    return render(request, "scoring/benchmark_list.html", context)


@never_cache
@login_required
@only_for(is_lead)
@require_http_methods(["GET", "HEAD", "POST"])
def benchmark_new(request: Request) -> HttpResponse:
    form = BenchmarkForm(request.POST if request.method == "POST" else None, entries=benchmarks.eligible())
    if request.method == "POST" and form.is_valid():
        data: dict[str, Any] = form.cleaned_data
        try:
            made = benchmarks.choose(
                data["entry"].pk, use=data["use"], permission=data["permission"], by=request.user, at=request.at
            )
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Chosen. Now write what it deserves.")
            return redirect("scoring:benchmark", pk=made.pk)
    return render(request, "scoring/benchmark_new.html", {"form": form}, status=409 if form.errors else 200)


@never_cache
@login_required
@only_for(sees_board)
@require_safe
def benchmark(request: Request, pk: int) -> HttpResponse:
    shown = get_object_or_404(_all(), pk=pk)
    newest = shown.versions[0] if shown.versions else None
    context = {
        "benchmark": shown,
        "newest": newest,
        "is_signed": newest is not None and len(newest.signatures.all()) >= SIGNATURES,
        "has_signed": newest is not None and request.user.pk in {one.by_id for one in newest.signatures.all()},
        "values": newest.values.select_related("criterion") if newest else [],
        "sheet": newest.sheet if newest else None,
        "is_final": True,
        "may_write": is_lead(request.user),
        "showings": viewing.showings(Upload.objects.filter(entry=shown.entry_id)) if newest else [],
        "taken": shown.trials.exclude(use=Trial.Use.REFERENCE).count(),
    }
    return render(request, "scoring/benchmark.html", context)


@login_required
@only_for(is_lead)
@require_POST
@refusals_as_page
def benchmark_write(request: Request, pk: int) -> HttpResponse:
    get_object_or_404(Benchmark, pk=pk)
    return redirect("scoring:sheet", pk=benchmarks.write(pk, by=request.user, at=request.at).pk)


@login_required
@only_for(is_lead)
@require_POST
def benchmark_sign(request: Request, pk: int) -> HttpResponse:
    """`pk` is the reference's: what was looked at is what is signed."""
    reference = get_object_or_404(Reference, pk=pk)
    try:
        benchmarks.sign(pk, by=request.user, at=request.at)
    except Refused as refusal:
        return back_with(request, refusal, "scoring:benchmark", pk=reference.benchmark_id)
    messages.success(request, "Signed. Thank you.")
    return redirect("scoring:benchmark", pk=reference.benchmark_id)


@never_cache
@login_required
@only_for(is_lead)
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def benchmark_retire(request: Request, pk: int) -> HttpResponse:
    shown = get_object_or_404(Benchmark, pk=pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        benchmarks.retire(pk, reason=form.cleaned_data["reason"], by=request.user, at=request.at)
        messages.success(request, "It is given to nobody any more.")
        return redirect("scoring:benchmark-list")
    return render(request, "scoring/benchmark_retire.html", {"benchmark": shown, "form": form})
