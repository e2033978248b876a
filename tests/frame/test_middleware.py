from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from candidates.models import User
from icg_cert import middleware
from icg_cert.lib import clock, request_id
from tests.factories import at


def test_instant_gives_the_request_the_portal_clock_and_an_id(rf: RequestFactory) -> None:
    clock.jump_to(at(2027, 6, 15, 23, 59))
    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append((request.at, request.id, request_id.current.get()))  # type: ignore[attr-defined]
        return HttpResponse()

    handle = middleware.instant(view)
    handle(rf.get("/"))
    handle(rf.get("/"))
    (first_at, first_id, first_current), (_, second_id, _) = seen
    assert timedelta(0) <= first_at - at(2027, 6, 15, 23, 59) < timedelta(minutes=1)
    assert (len(first_id), first_current) == (32, first_id)
    assert second_id != first_id
    assert request_id.current.get() == ""


def test_instant_forgets_the_id_when_the_view_fails(rf: RequestFactory) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        middleware.instant(view)(rf.get("/"))
    assert request_id.current.get() == ""


@pytest.fixture
def anywhere(settings: Settings) -> str:
    settings.REQUIRE_SECOND_FACTOR = True
    return reverse("admin:index")


@pytest.mark.parametrize("person", ["scorer", "lead", "staff", "finance"])
def test_second_factor_is_asked_of_who_sees_others_data(
    person: str, request: pytest.FixtureRequest, client: Client, anywhere: str
) -> None:
    client.force_login(request.getfixturevalue(person))
    response = client.get(anywhere)
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_index"))


def test_second_factor_is_asked_of_a_superuser_without_any_role(client: Client, db: None, anywhere: str) -> None:
    client.force_login(User.objects.create_superuser("root@example.org", name="Rae Root"))
    response = client.get(anywhere)
    assert (response.status_code, response["Location"]) == (302, reverse("mfa_index"))


def test_second_factor_is_not_asked_again_of_who_has_one(client: Client, staff: User, anywhere: str) -> None:
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={"secret": "x"})
    client.force_login(staff)
    assert client.get(anywhere).status_code == 200


def test_second_factor_is_not_asked_of_a_candidate_nor_of_a_stranger(
    client: Client, candidate: User, anywhere: str
) -> None:
    assert client.get(anywhere, follow=True).redirect_chain[-1][0].startswith(reverse("account_login"))
    client.force_login(candidate)
    assert client.get(anywhere)["Location"] != reverse("mfa_index")


def test_second_factor_can_be_set_up_without_having_one(client: Client, staff: User, anywhere: str) -> None:
    client.force_login(staff)
    assert client.get("/healthz").status_code == 200
    assert client.get(reverse("mfa_index")).status_code == 200


def test_second_factor_is_not_asked_in_the_demo(client: Client, staff: User) -> None:
    client.force_login(staff)
    assert client.get(reverse("admin:index")).status_code == 200
