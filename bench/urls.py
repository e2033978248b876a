"""The portal's addresses and one more: the least a page for a signed-in person can be."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


@login_required
def bare(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"Hello {request.user}")


urlpatterns = [path("bare/", bare, name="bare"), path("", include("icg_cert.urls"))]
