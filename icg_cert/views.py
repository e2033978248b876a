"""Pages that belong to no app: what anybody may read, the dashboard, the demo's clock, the health check."""

from decimal import Decimal
from functools import wraps

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from candidates import announced
from candidates.models import PolicyText
from icg_cert import calendar_feed, dashboards, rehearsal, timeline
from icg_cert.candidacy import Candidacy
from icg_cert.lib.doors import View
from icg_cert.next_steps import steps
from icg_cert.templatetags.look import zone_name
from icg_cert.worked_example import example, families
from portfolios.models import Factor, Requirement
from scoring.models import Rubric, ScoringPolicy


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 and "ok" when this process answers and its database does; whoever watches needs no more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    programme, banner = announced.programme(), timeline.banner(request.at)
    cycles = announced.cycles_of(banner.cohort) if banner.cohort else []
    context = {
        "banner": banner,
        "timeline": timeline.of_cohort(banner.cohort, cycles, request.at) if banner.cohort else [],
        "calendar": timeline.calendar(programme, request.at),
        "programme": programme,
        "no_refunds": announced.texts().get(PolicyText.Kind.NO_REFUNDS),
    }
    return render(request, "home.html", context)


@require_safe
def process_portfolio(request: HttpRequest) -> HttpResponse:
    rubrics = Prefetch("rubrics", Rubric.objects.current().prefetch_related("criteria"), to_attr="current_rubrics")
    factors = Factor.objects.prefetch_related("requirements", rubrics)
    context = {"factors": factors, "kinds": Requirement.Kind, "consent": announced.texts().get(PolicyText.Kind.CONSENT)}
    return render(request, "process_portfolio.html", context)


@require_safe
def process_scoring(request: HttpRequest) -> HttpResponse:
    rubrics = list(
        Rubric.objects.current()
        .select_related("factor")
        .prefetch_related("levels", "criteria")
        .order_by("factor__number")
    )
    policy = ScoringPolicy.objects.order_by("-version").first()
    rules = policy.rules() if policy else None
    names = {level.number: level.name for rubric in rubrics[:1] for level in rubric.levels.all()}
    context = {
        "rubrics": rubrics,
        "policy": policy,
        "total_needed": Decimal(policy.threshold * rules.factors) if policy and rules else None,
        "example": example(rubrics, rules) if rules and len(rubrics) >= rules.factors else None,
        "levels": [(level, names.get(level, ""), values) for level, values in families()],
    }
    return render(request, "process_scoring.html", context)


@require_safe
def process_submit(request: HttpRequest) -> HttpResponse:
    programme, cycle = announced.programme(), announced.current_or_next_cycle(request.at)
    context = {
        "cycle": cycle,
        "phase": cycle.window.phase(request.at) if cycle else None,
        "programme": programme,
        "calendar": timeline.calendar(programme, request.at),
    }
    return render(request, "process_submit.html", context)


@require_safe
def policies(request: HttpRequest) -> HttpResponse:
    programme = announced.programme()
    context = {
        "programme": programme,
        "texts": [text for text in announced.texts().values() if text.kind != PolicyText.Kind.IMPARTIALITY],
        "policy": ScoringPolicy.objects.order_by("-version").first(),
        "calendar": timeline.calendar(programme, request.at),
        "zone": zone_name(settings.TIME_ZONE),
        "keeping": {
            "handed_in": settings.MEDIA_RETENTION_DAYS,
            "left_out": settings.MEDIA_KEEP_REPLACED_DAYS,
            "training": settings.MEDIA_TRAINING_EXTRA_DAYS,
        },
    }
    return render(request, "policies.html", context)


@require_safe
def calendar(request: HttpRequest) -> HttpResponse:
    feed = calendar_feed.feed(announced.cohorts(), announced.cycles(), at=request.at)
    response = HttpResponse(feed, content_type="text/calendar")
    response["Content-Disposition"] = 'inline; filename="coach-certification.ics"'
    return response


@login_required
@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    mine = Candidacy(request.user, request.at)
    found, panels = steps(mine), dashboards.panels(mine)
    context = {"next_step": found[0] if found else None, "other_steps": found[1:], "panels": panels}
    return render(request, "dashboard.html", context)


def demo_only(view: View) -> View:
    """Outside the demo there is no such address."""

    @wraps(view)
    def door(request: HttpRequest) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request)

    return door


@demo_only
@require_POST
def rehearsal_clock(request: HttpRequest) -> HttpResponse:
    """Go to the jump named `to`, then back to `next`."""
    jump = next((jump for jump in rehearsal.jumps() if jump.value == request.POST.get("to")), None)
    if jump is None:
        messages.warning(request, "The clock knows no such moment. Choose one from the list.")
    elif rehearsal.go(jump):
        messages.success(request, f"The clock has moved: {jump.label.lower()}. What fell due on the way has been done.")
    else:
        messages.warning(request, "The clock has moved, but something that fell due failed. The log says what.")
    return redirect(_back(request))


def _back(request: HttpRequest) -> str:
    path = request.POST.get("next", "/")
    is_ours = url_has_allowed_host_and_scheme(path, allowed_hosts={request.get_host()})
    return path if is_ours else "/"
