"""Receipts, for whoever has the code: what was handed in, when, and whether a receipt or a file is the one it says.

Nobody is named to somebody who only has a code. Candidates see their own names for their files.
"""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from candidates import deadlines
from candidates.models import normalised_code
from icg_cert.lib import guesses
from portfolios import receipts, submission
from portfolios.forms import ReceiptForm
from portfolios.models import Entry

GUESSED = "receipt"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def receipt_verify(request: HttpRequest) -> HttpResponse:
    """A code leads to its receipt; a receipt that somebody brings is told what it still says."""
    if code := normalised_code(request.GET.get("code", "")):
        return redirect("portfolios:receipt", code=code)
    form = ReceiptForm(request.POST, request.FILES) if request.method == "POST" else ReceiptForm()
    verification = receipts.verify(form.cleaned_data["text"]) if form.is_valid() else None
    context = {"form": form, "verification": verification, "is_empty": "code" in request.GET}
    return _hidden(render(request, "portfolios/receipt_verify.html", context))


@never_cache
@require_safe
def receipt(request: HttpRequest, code: str) -> HttpResponse:
    if guesses.is_slowed(request, GUESSED):
        return _slowed(request)
    entry = _entry(request, code)
    if entry is None:
        return _unknown(request, code)
    is_owner = entry.registration.user_id == request.user.pk
    files = receipts.files(entry, is_owner=is_owner)
    context = {
        "entry": entry,
        "is_owner": is_owner,
        "may_open": _is_visible(request, entry),
        "closes_at": deadlines.closes_at(entry.registration, entry.cycle),
        "reopened": submission.reopened(entry),
        "files": files,
        "for_script": [file.for_script for file in files],
        "part_size": files[0].part_size if files else submission.PART_OF_VERSION_1,
    }
    return _hidden(render(request, "portfolios/receipt.html", context))


@never_cache
@require_safe
def receipt_download(request: HttpRequest, code: str) -> HttpResponse:
    if guesses.is_slowed(request, GUESSED):
        return _slowed(request)
    entry = _entry(request, code)
    if entry is None:
        return _unknown(request, code)
    if entry.manifest is None:
        raise Http404("reopened since")
    name = f"ICG-receipt-{entry.receipt_code}.json"
    answer = JsonResponse(receipts.issued(entry), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return _hidden(answer)


def _entry(request: HttpRequest, code: str) -> Entry | None:
    """What was handed in under this code, once at least; one's own entry also before. Anything else is a guess."""
    related = Entry.objects.select_related("registration__cohort", "registration__user", "factor", "cycle")
    entry = related.filter(receipt_code=normalised_code(code)).first()
    if entry and (entry.manifest or submission.reopened(entry) or _is_visible(request, entry)):
        return entry
    guesses.count_miss(request, GUESSED)
    return None


def _is_visible(request: HttpRequest, entry: Entry) -> bool:
    return Entry.objects.visible_to(request.user).filter(pk=entry.pk).exists()


def _unknown(request: HttpRequest, code: str) -> HttpResponse:
    context = {"form": ReceiptForm(), "unknown": code}
    return _hidden(render(request, "portfolios/receipt_verify.html", context, status=404))


def _slowed(request: HttpRequest) -> HttpResponse:
    answer = render(request, "portfolios/receipt_verify.html", {"is_slowed": True}, status=429)
    answer["Retry-After"] = str(guesses.SECONDS)
    return _hidden(answer)


def _hidden(answer: HttpResponse) -> HttpResponse:
    answer["X-Robots-Tag"] = "noindex, nofollow"
    return answer
