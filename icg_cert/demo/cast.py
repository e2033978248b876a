"""Who is in the demo: one sign-in per role, and a few more people so that there is something to do."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from candidates.models import User
from candidates.permissions import FINANCE, LEAD, SCORER, STAFF
from scoring.models import PublicMailDomain, Scorer

PASSWORD = "coaching-demo"  # noqa: S105  printed at every start, and the demo alone makes anybody with it
DOMAIN = "demo.example"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the cast. `part` names what they show; `role` is a group, none for candidates."""

    name: str
    part: str
    what: str
    role: str = ""
    district: str = ""

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{DOMAIN}"


ADA = Person(
    "Ada Abara",
    "candidate",
    "in her second year: results to read, one of them verified, entries being scored, a window ahead",
)
BEN = Person("Ben Borges", "second candidate", "has registered and has not paid")
NIA = Person("Nia Novak", "newcomer", "has an account and nothing else: register with it")
EVA = Person("Eva Engel", "certified candidate", "certified in her first year, with a certificate to verify")
SOL = Person("Sol Sato", "scorer", "a queue with sheets done, begun and untouched", SCORER, "Harbor Schools")
TIA = Person("Tia Torres", "second scorer", "reads the same entries without knowing of it", SCORER, "Prairie District")
LEE = Person("Lee Lund", "lead scorer", "decides where two readings lie too far apart", LEAD, "Summit Schools")
STEF = Person("Stef Stone", "staff", "registrations, purchase orders, assigning, preparing a release", STAFF)
UMA = Person("Uma Usman", "second staff", "approves the release that the first one prepared", STAFF)
FAY = Person("Fay Finch", "finance", "purchase orders and the money that comes for them", FINANCE)

CLEO = Person("Cleo Chen", "", "in her first year, entries being scored")
DEE = Person("Dee Diaz", "", "her district's purchase order waits to be checked")
ELI = Person("Eli Evans", "", "answered a question about his eligibility")
FLO = Person("Flo Fisher", "", "her seat is held by a purchase order, the money is to come")
GUS = Person("Gus Grant", "", "took a seat of his district's order with a code")
PAT = Person("Pat Park", "third scorer", "takes what the first two may not read", SCORER, "Canyon Schools")
VIC = Person("Vic Vance", "fourth scorer", "takes second readings as they fall due", SCORER, "Meadow District")
RAY = Person("Ray Reed", "", "a lead scorer who signs references and decides nothing now", LEAD, "Valley Schools")
TOLD = [ADA, BEN, NIA, EVA, SOL, TIA, PAT, VIC, LEE, STEF, UMA, FAY]
OTHERS = [CLEO, DEE, ELI, FLO, GUS, RAY]


def make() -> dict[Person, User]:
    """Everybody's account, with a verified address; found again by it. That they share a domain ties nobody."""
    PublicMailDomain.objects.create(domain=DOMAIN)
    password = make_password(PASSWORD)
    return {person: _account(person, password) for person in [*TOLD, *OTHERS]}


def _account(person: Person, password: str) -> User:
    office = person.role in (STAFF, FINANCE)
    user = User.objects.create(email=person.email, name=person.name, password=password, is_staff=office)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    if person.role:
        user.groups.add(Group.objects.get(name=person.role))
    if person.district:
        is_active = person != RAY  # on leave, so that Lee decides where two readings lie apart
        Scorer.objects.create(user=user, district=person.district, employer=person.district, is_active=is_active)
    return user


def sign_ins() -> str:
    """The table printed at every start: part, address, what there is to see; and the password of all."""
    width = max(len(person.part) for person in TOLD) + 2
    lines = [f"  {person.part:<{width}}{person.email:<20}{person.what}" for person in TOLD]
    return "\n".join([f"Sign in as any of these; the password is  {PASSWORD}", "", *lines, ""])
