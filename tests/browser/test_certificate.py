"""What is done with a certificate, in Chromium: by its holder, by whoever checks it, by staff who correct a name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from playwright.sync_api import expect

from candidates.models import User
from icg_cert.lib import clock
from icg_cert.permissions import grant_roles
from scoring import certificates
from scoring.models import Certificate
from tests.browser.conftest import PASSWORD, Visitor
from tests.factories import make_certificate, make_choices, make_registration, make_user
from tests.scoring.holding import CODE, LATER, certified

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def ada(office: dict[str, User], badge_key: Path) -> Iterator[User]:
    """Certified, and signed up with the password of all; ten days after the release."""
    grant_roles()
    clock.jump_to(LATER)
    user = make_user("Ada Abara", email="ada@example.org")
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    certified(user)
    yield user
    clock.reset()


def sign_in(arrive: Any, user: User) -> Visitor:
    visitor: Visitor = arrive(user.name.split()[0].lower())
    visitor.sign_in(user)
    return visitor


def test_holder_chooses_who_sees_what_and_anyone_checks(arrive: Any, ada: User) -> None:
    holder, anyone = sign_in(arrive, ada), arrive("anyone")
    page = holder.go("/certificates/")
    holder.look("certificate")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download your badge").click()
    assert download.value.suggested_filename == "ICG-badge-K7PQM3XZ.jwt"

    page.get_by_label("List me in the public directory").check()
    page.get_by_label("State shown in the directory").select_option("Kansas")
    page.get_by_role("button", name="Save these choices").click()
    expect(page.get_by_role("main")).to_contain_text("Your choices are saved")
    there = anyone.go("/directory/")
    expect(there.get_by_role("row", name="Ada Abara Kansas 2027")).to_be_visible()
    anyone.look("directory of one")

    page.get_by_label("Show my name where my code is verified").uncheck()
    page.get_by_role("button", name="Save these choices").click()
    expect(page.get_by_role("main")).to_contain_text("The directory shows your name")
    holder.look("certificate refused")
    page.get_by_label("List me in the public directory").uncheck()
    page.get_by_role("button", name="Save these choices").click()
    anyone.go("/directory/")
    anyone.look("directory of nobody")

    there = anyone.go(f"/verify/{CODE.lower()}/")
    anyone.look("verified without a name")
    there.get_by_label("The name you were told").fill("ada abara")
    there.get_by_role("button", name="Compare this name").click()
    expect(there.get_by_role("main")).to_contain_text("The same name")
    anyone.look("verified with the name told")


def test_directory_of_many(arrive: Any, ada: User) -> None:
    for number in range(60):
        user = make_user(f"Coach {number:02} {'von und zu ' * (number % 3)}Somewhere")
        make_certificate(make_registration(user))
        make_choices(user, state=["KS", "", "MP"][number % 3], shows_district=number % 2 == 0)
    anyone = arrive("anyone")
    page = anyone.go("/directory/")
    anyone.look("directory of many")
    page.get_by_label("Name or place").fill("zu lakeside")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("20 coaches found")
    anyone.look("directory searched")


def test_staff_correct_a_name(arrive: Any, ada: User, office: dict[str, User]) -> None:
    stef = sign_in(arrive, office["staff"])
    page = stef.go(f"/admin/scoring/certificate/{Certificate.objects.get().pk}/change/")
    page.get_by_role("link", name="Issue in another name").click()
    page.get_by_label("Name on the new certificate").fill("Ada Adebayo-Abara")
    stef.fits("issue in another name")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="See what it will look like").click()
    opened.value.close()
    page.get_by_label("Reason").fill("Married, document seen.")
    page.get_by_role("button", name="Issue in this name").click()
    expect(page.get_by_role("main")).to_contain_text("in the name Ada Adebayo-Abara")

    anyone = arrive("anyone")
    anyone.go(f"/verify/{CODE}/")
    anyone.look("replaced")
    new = Certificate.objects.get(replaced_at=None)
    holder = sign_in(arrive, ada)
    holder.go("/certificates/")
    holder.look("certificate anew")

    stef.go(f"/admin/scoring/certificate/{new.pk}/revoke/")
    stef.fits("revoke")
    certificates.revoke(new.pk, reason="The films were not hers.", by=office["staff"], at=LATER)
    anyone.go(f"/verify/{new.code}/")
    anyone.look("revoked")
    holder.go("/certificates/")
    holder.look("certificate revoked")
