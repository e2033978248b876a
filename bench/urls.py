"""The portal's addresses and two more: the least a view and the least a page for a signed-in person can be."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from bench.money import bare_insert


@login_required
def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


@login_required
def empty(request: HttpRequest) -> HttpResponse:
    """Head, rehearsal bar, menu and footer around nothing."""
    return render(request, "base.html", {"next_step": None})


urlpatterns = [
    path("bare/", bare, name="bare"),
    path("empty/", empty, name="empty"),
    path("bare-insert/", bare_insert, name="bare-insert"),
    path("", include("icg_cert.urls")),
]
