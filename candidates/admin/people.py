from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from candidates import accounts, time_zones
from candidates.models import User


class PersonForm(forms.ModelForm):
    """Who somebody is and what they do here. A password is theirs alone."""

    time_zone = forms.ChoiceField(required=False, choices=time_zones.choices)

    class Meta:
        model = User
        fields = ["email", "name", "time_zone", "groups", "is_active"]
        widgets = {"groups": forms.CheckboxSelectMultiple}
        labels = {"groups": "Roles", "is_active": "May sign in"}
        help_texts = {
            "groups": "None for a candidate. Scorers also need a row under Scorers.",
            "is_active": "Untick it instead of deleting somebody.",
        }

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


@admin.register(User)
class UserAdmin(admin.ModelAdmin):
    """Staff open accounts for scorers, staff and finance; the new person gets a mail to choose a password."""

    form = PersonForm
    list_display = ["email", "name", "roles", "is_active", "last_login"]
    list_filter = ["groups", "is_active"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Not by the hash of a password: rows that come and go would spell it out, letter by letter."""
        return not lookup.startswith("password") and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="roles")
    def roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Sign-in goes by allauth's own address rows, which a person changes by a mail to the new address.
        return ["email", "last_login", "date_joined"] if obj else []

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = ["email", "name", "time_zone", "groups"]
        return [*fields, "is_active", "last_login", "date_joined"] if obj else fields

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may_change = super().has_change_permission(request, obj)
        return may_change and (obj is None or not obj.is_superuser or request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: forms.ModelForm, change: bool) -> None:
        who: dict[str, Any] = {"by": request.user, "at": request.at}  # type: ignore[attr-defined]
        roles = form.cleaned_data["groups"]
        if change:
            super().save_model(request, obj, form, change)
            obj.is_staff = accounts.set_roles(obj.pk, roles=roles, **who).is_staff
        else:
            accounts.open_account(obj, roles=roles, **who)
