"""The roof: where each app's pages hang. Addresses are stable, people bookmark them."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from icg_cert import views
from icg_cert.operations import views as operations

# One way in for everybody: staff sign in, and prove their second factor, where candidates do.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

urlpatterns = [
    path("", views.home, name="home"),
    path("process/portfolio/", views.process_portfolio, name="process-portfolio"),
    path("process/scoring/", views.process_scoring, name="process-scoring"),
    path("process/submit/", views.process_submit, name="process-submit"),
    path("policies/", views.policies, name="policies"),
    path("calendar.ics", views.calendar, name="calendar"),
    path("dashboard/", views.dashboard, name="dashboard"),
    path("rehearsal-clock/", views.rehearsal_clock, name="rehearsal-clock"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", operations.readyz, name="readyz"),
    path("metrics", operations.metrics_page, name="metrics"),
    path("operations/", operations.jobs, name="operations"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("candidates.urls")),
    path("", include("portfolios.urls")),
    path("", include("scoring.urls")),
    path("", include("payments.urls")),
]
