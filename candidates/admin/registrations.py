from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from candidates import deadlines, eligibility, evidence, permissions, registration
from candidates.models import Cycle, EvidenceRequest, Extension, Registration
from icg_cert.lib.admin import ReadOnlyAdmin
from icg_cert.lib.doors import whole_number
from icg_cert.lib.refusal import Refused

MOST_AT_ONCE = 200
Status = Registration.Status


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=2000, widget=forms.Textarea(attrs={"rows": 4}), help_text="The candidate reads this."
    )


class QuestionForm(forms.Form):
    question = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The candidate reads this. Say what to send, for example a letter of the supervisor, and by when.",
    )


class ExtensionForm(forms.Form):
    cycle = forms.ModelChoiceField(Cycle.objects.all())
    closes_at = forms.DateTimeField(
        label="Closes at",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="In the programme's zone. For a whole last day enter the midnight that ends it.",
    )
    reason = forms.CharField(
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For the audit trail, not for the candidate.",
    )


@dataclass(frozen=True, slots=True)
class Decision:
    """One button of the office: what it says, what it does to those chosen, what must be typed, and the verb."""

    label: str
    what: str
    form: type[forms.Form]
    verb: Callable[..., Any]
    starts: frozenset[str]  # the statuses from which it can be done


def _from(to: str) -> frozenset[str]:
    return frozenset(start for start, following in Registration.NEXT.items() if to in following)


DECISIONS = {
    "approve": Decision(
        "Approve",
        "Their eligibility is confirmed, and they are told.",
        forms.Form,
        registration.approve,
        _from(Status.APPROVED),
    ),
    "refuse": Decision(
        "Refuse",
        "They are told that they are not eligible, and why. A refusal can be taken back by approving.",
        ReasonForm,
        registration.refuse,
        _from(Status.REFUSED),
    ),
    "ask": Decision(
        "Ask for evidence",
        "They get your question by e-mail and answer it in the portal. Nothing else changes meanwhile.",
        QuestionForm,
        evidence.request,
        _from(Status.EVIDENCE_REQUESTED),
    ),
    "extend": Decision(
        "Grant an extension",
        "For them alone the window of one cycle closes later, and they are told until when.",
        ExtensionForm,
        lambda pk, cycle, **grant: deadlines.grant_extension(pk, cycle.pk, **grant),
        frozenset(Status.values) - frozenset(Registration.ENDED),
    ),
}


class LookInline(admin.TabularInline):
    """Rows of a registration to look at."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _download(asked: EvidenceRequest) -> str:
    if not asked.document:
        return "none"
    return format_html('<a href="{}">Download</a>', reverse("candidates:evidence-document", args=[asked.pk]))


class EvidenceInline(LookInline):
    model = EvidenceRequest
    readonly_fields = ["question", "asked_by", "asked_at", "answer", "pdf", "answered_at"]
    fields = list(readonly_fields)

    @admin.display(description="document")
    def pdf(self, asked: EvidenceRequest) -> str:
        return _download(asked)


class ExtensionInline(LookInline):
    model = Extension
    readonly_fields = ["cycle", "closes_at", "reason", "granted_by", "granted_at"]
    fields = list(readonly_fields)


class RegistrationList(ChangeList):
    """Reads only what the list shows: ten thousand whole rows do not fit the memory that they are sorted in."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Registration]:
        hours = [field.name for field in Registration._meta.fields if field.name.startswith("hours_")]
        shown = ["code", "user__name", "district", "cohort__number", "cohort__year", "status", "payment_status"]
        return super().get_queryset(request, exclude_parameters).only(*shown, *hours, "registered_at")


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Look at registrations and decide about one or several: each decision has a page that says what will happen."""

    list_display = ["code", "name", "district", "cohort", "status", "payment_status", "coaching", "registered_at"]
    list_filter = ["status", "payment_status", "cohort"]
    search_fields = ["code", "user__email", "user__name", "district", "employer"]
    list_select_related = ["user", "cohort"]
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = None
    inlines = [EvidenceInline, ExtensionInline]
    actions = ["approve_selected", "refuse_selected", "ask_selected", "extend_selected"]
    change_form_template = "admin/candidates/registration_detail.html"
    fields = [
        "code", "name", "email", "cohort", "status", "status_reason", "payment_status", "fee", "registered_at",
        "employer", "district", "school", "role_title", "is_full_time", "supervisor_name", "supervisor_email",
        "coaching", "hours_coaching", "hours_administrative", "hours_testing", "hours_intervention", "hours_other",
        "attestation", "signature", "signed_at",
    ]  # fmt: skip

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RegistrationList

    @admin.display(ordering="user__name")
    def name(self, row: Registration) -> str:
        return row.user.name

    @admin.display(description="e-mail")
    def email(self, row: Registration) -> str:
        return row.user.email

    @admin.display(description="share of coaching")
    def coaching(self, row: Registration) -> str:
        share = eligibility.coaching_share(row.hours)
        return "none" if share is None else f"{eligibility.percent(share)} %"

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return permissions.is_staff(request.user)

    @admin.action(description="Approve", permissions=["decide"])
    def approve_selected(self, request: HttpRequest, rows: QuerySet[Registration]) -> HttpResponse | None:
        return self._go(request, rows, "approve")

    @admin.action(description="Refuse, with a reason", permissions=["decide"])
    def refuse_selected(self, request: HttpRequest, rows: QuerySet[Registration]) -> HttpResponse | None:
        return self._go(request, rows, "refuse")

    @admin.action(description="Ask for evidence", permissions=["decide"])
    def ask_selected(self, request: HttpRequest, rows: QuerySet[Registration]) -> HttpResponse | None:
        return self._go(request, rows, "ask")

    @admin.action(description="Grant an extension", permissions=["decide"])
    def extend_selected(self, request: HttpRequest, rows: QuerySet[Registration]) -> HttpResponse | None:
        return self._go(request, rows, "extend")

    def _go(self, request: HttpRequest, rows: QuerySet[Registration], name: str) -> HttpResponse | None:
        chosen = list(rows.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
        if len(chosen) > MOST_AT_ONCE:
            messages.error(request, f"Choose at most {MOST_AT_ONCE} at once. Nothing was changed.")
            return None
        ids = ",".join(str(pk) for pk in chosen)
        return redirect(f"{reverse('admin:candidates_registration_decide', args=[name])}?ids={ids}")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.decide)
        return [path("decide/<slug:name>/", view, name="candidates_registration_decide"), *super().get_urls()]

    def decide(self, request: HttpRequest, name: str) -> HttpResponse:
        """The page between a button and its verb: about whom, what will happen, what must be typed."""
        decision = DECISIONS.get(name)
        if decision is None or not self.has_decide_permission(request):
            raise PermissionDenied
        rows = self._chosen(request)
        form = decision.form(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid() and self._done(request, decision, rows, form):
            return redirect(self._back(rows))
        context = {
            **self.admin_site.each_context(request),
            "title": decision.label,
            "decision": decision,
            "form": form,
            "rows": rows,
            "back": self._back(rows),
            "opts": self.opts,
        }
        return render(request, "admin/candidates/registration_decide.html", context)

    def _chosen(self, request: HttpRequest) -> list[Registration]:
        parts = request.GET.get("ids", "").split(",")[:MOST_AT_ONCE]
        ids = [key for part in parts if (key := whole_number(part)) is not None]
        return list(Registration.objects.filter(pk__in=ids).select_related("user", "cohort"))

    def _back(self, rows: list[Registration]) -> str:
        if len(rows) == 1:
            return reverse("admin:candidates_registration_change", args=[rows[0].pk])
        return reverse("admin:candidates_registration_changelist")

    def _done(self, request: HttpRequest, decision: Decision, rows: list[Registration], form: forms.Form) -> bool:
        """Do it for each, and say of whom it was not done and why; whether it was done for anybody."""
        done = 0
        for row in rows:
            try:
                decision.verb(row.pk, **form.cleaned_data, by=request.user, at=request.at)  # type: ignore[attr-defined]
            except Refused as refusal:
                messages.error(request, f"{row.user.name} ({row.code}): {refusal.message}")
            else:
                done += 1
        if done:
            messages.success(request, f"{decision.label}: done for {done}, and they are told.")
        return done > 0

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        row = context.get("original")
        possible = row and self.has_decide_permission(request) and row.user_id != request.user.pk
        context["decisions"] = (
            {name: decision.label for name, decision in DECISIONS.items() if row.status in decision.starts}
            if possible
            else {}
        )
        return super().render_change_form(request, context, *args, **kwargs)


@admin.register(EvidenceRequest)
class EvidenceRequestAdmin(ReadOnlyAdmin):
    list_display = ["registration_code", "question", "asked_by", "asked_at", "answered_at"]
    list_filter = [("answered_at", admin.EmptyFieldListFilter), "registration__cohort"]
    search_fields = ["registration__code", "registration__user__email"]
    list_select_related = ["registration", "asked_by"]
    show_full_result_count = False
    fields = ["registration", "question", "asked_by", "asked_at", "answer", "pdf", "answered_at"]

    @admin.display(description="registration", ordering="registration__code")
    def registration_code(self, asked: EvidenceRequest) -> str:
        return asked.registration.code

    @admin.display(description="document")
    def pdf(self, asked: EvidenceRequest) -> str:
        return _download(asked)


@admin.register(Extension)
class ExtensionAdmin(ReadOnlyAdmin):
    list_display = ["registration_code", "cycle", "closes_at", "reason", "granted_by", "granted_at"]
    list_filter = ["cycle"]
    search_fields = ["registration__code", "registration__user__email"]
    list_select_related = ["registration", "cycle", "granted_by"]
    show_full_result_count = False

    @admin.display(description="registration", ordering="registration__code")
    def registration_code(self, extension: Extension) -> str:
        return extension.registration.code
