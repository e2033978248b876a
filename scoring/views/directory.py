"""The directory of certified coaches, for anybody to search."""

from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from icg_cert.lib.doors import Request
from scoring import directory as directories
from scoring.certificate_forms import SearchForm

PER_PAGE = 50


@never_cache
@require_safe
def directory(request: Request) -> HttpResponse:
    """Those who chose to stand in it, now: never kept, so that whoever leaves is gone at once."""
    form = SearchForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    found = directories.listed(request.at, words=asked.get("q", ""), state=asked.get("state", ""))
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({name: value for name, value in asked.items() if value})
    context = {
        "page": page,
        "rows": [(one, directories.place(one)) for one in page],
        "form": form,
        "is_search": bool(query),
        "query": f"{query}&" if query else "",
    }
    response = render(request, "scoring/directory.html", context)
    response["X-Robots-Tag"] = "noindex"
    return response
