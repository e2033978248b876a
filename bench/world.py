"""Ten thousand registrations, and one candidate, one scorer and one member of staff who look at their pages."""

from dataclasses import dataclass
from datetime import timedelta
from io import StringIO

from django.core.management import call_command
from django.urls import reverse

from candidates.models import Registration, User
from candidates.permissions import SCORER, STAFF
from portfolios.models import Entry, Factor
from scoring.models import Rubric, Sheet
from tests import factories

REGISTRATIONS = 10_000
QUEUE = 25
NOW = factories.at(2027, 5, 10, 12)


@dataclass(frozen=True)
class Page:
    name: str
    url: str
    by: User | None


def build() -> list[Page]:
    """Fill an empty database; the pages to measure, the bare view first."""
    call_command("load_programme", stdout=StringIO())
    cohort, cycle = factories.make_cohort(2026), factories.make_cycle(2027)
    factories.make_cycle(2028), factories.make_cycle(2029)
    staff, scorer = factories.make_user("Stef Stone", STAFF), factories.make_scorer("Sol Sato", SCORER)
    mine = factories.make_registration(factories.make_user("Ada Abara"))
    others = _register(mine)
    entries = [_entry(mine, factor) for factor in Factor.objects.all()]
    rubric = Rubric.objects.current().get(factor=entries[0].factor)
    for registration in others[:QUEUE]:
        status = Entry.Status.LOCKED
        entry = factories.make_entry(registration, entries[0].factor, cycle, status=status)
        assignment = factories.make_assignment(entry, scorer, assigned_at=NOW - timedelta(days=1))
        Sheet.objects.create(assignment=assignment, rubric=rubric)
    return [
        Page("a bare view", reverse("bare"), mine.user),
        Page("an empty page", reverse("empty"), mine.user),
        Page("landing", reverse("home"), None),
        Page("dashboard, candidate", reverse("dashboard"), mine.user),
        Page("dashboard, staff", reverse("dashboard"), staff),
        Page("entries, the board", reverse("portfolios:entry-list"), mine.user),
        Page("entry", reverse("portfolios:entry-detail", kwargs={"pk": entries[0].pk}), mine.user),
        Page(f"scoring queue of {QUEUE}", reverse("scoring:queue"), scorer),
        Page("scoring board", reverse("scoring:board"), staff),
        Page("registrations, page 1", reverse("admin:candidates_registration_changelist"), staff),
        Page("registrations, page 100", reverse("admin:candidates_registration_changelist") + "?p=100", staff),
        Page(
            "registrations, filtered",
            reverse("admin:candidates_registration_changelist") + f"?cohort__id__exact={cohort.pk}&q=person77",
            staff,
        ),
    ]


def _register(like: Registration) -> list[Registration]:
    users = User.objects.bulk_create(
        User(email=f"person{n}@bench.example.org", name=f"Person {n}", password="!") for n in range(REGISTRATIONS)
    )
    skip = {"id", "user", "code", "district"}
    fields = {field.name: getattr(like, field.name) for field in like._meta.concrete_fields if field.name not in skip}
    return Registration.objects.bulk_create(
        Registration(user=user, district=f"District {n % 500}", **fields) for n, user in enumerate(users)
    )


def _entry(registration: Registration, factor: Factor) -> Entry:
    entry = factories.make_entry(registration, factor)
    for requirement in factor.requirements.all():
        factories.make_upload(entry, requirement)
    return entry
