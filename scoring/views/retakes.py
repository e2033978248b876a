"""Which factors a candidate means to retake in their third year."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from icg_cert.lib.doors import Request, refusals_as_page, refuse_form
from icg_cert.lib.refusal import Refused
from scoring import retake_choice
from scoring.retake_form import RetakeForm


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@refusals_as_page
def retake_list(request: Request) -> HttpResponse:
    found = retake_choice.of(request.user, request.at)
    if found is None:
        raise Http404
    form = RetakeForm(request.POST if request.method == "POST" else None, found=found)
    if request.method == "POST" and form.is_valid():
        try:
            retake_choice.wish(form.cleaned_data["factors"], by=request.user, at=request.at)
        except Refused as refusal:
            refuse_form(form, refusal)
        else:
            messages.success(request, "Thank you. You can change this until the window closes.")
            return redirect("scoring:retake-list")
    context = {"found": found, "form": form}
    return render(request, "scoring/retake_list.html", context, status=409 if form.errors else 200)
