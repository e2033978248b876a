"""Every page of allauth's is in our look, and its mails are in our words."""

from typing import Any

import pyotp
import pytest
from allauth.account.models import EmailAddress
from bs4 import BeautifulSoup
from django.test import Client

from candidates.models import User

PASSWORD = "four tall pines"
ANONYMOUS = {
    "/accounts/login/": "Sign in",
    "/accounts/signup/": "Create an account",
    "/accounts/password/reset/": "Choose a new password",
    "/accounts/password/reset/done/": "Look into your e-mail",
    "/accounts/password/reset/key/done/": "Your password is changed",
    "/accounts/password/reset/key/1-nonsense/": "This link no longer works",
    "/accounts/confirm-email/": "Look into your e-mail",
    "/accounts/confirm-email/nonsense/": "This link no longer works",
    "/accounts/inactive/": "This account is closed",
}
SIGNED_IN = {
    "/accounts/email/": "Your e-mail address",
    "/accounts/password/change/": "Change your password",
    "/accounts/logout/": "Sign out?",
    "/accounts/reauthenticate/": "Confirm that it is you",
    "/accounts/2fa/": "Two-step sign-in",
    "/accounts/2fa/totp/activate/": "Set up an authenticator app",
    "/accounts/2fa/webauthn/": "Your passkeys and security keys",
    "/accounts/2fa/webauthn/add/": "Add a passkey or security key",
}


@pytest.fixture
def signed_in(candidate: User) -> Client:
    candidate.set_password(PASSWORD)
    candidate.save()
    EmailAddress.objects.create(user=candidate, email=candidate.email, verified=True, primary=True)
    client = Client()
    client.post("/accounts/login/", {"login": candidate.email, "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def in_our_look(response: Any) -> str:
    """The page's title, once it is certain that nothing in it needs an inline style or an inline script."""
    soup = BeautifulSoup(response.content, "html.parser")
    assert [tag.name for tag in soup.find_all(style=True)] == []
    assert [
        tag for tag in soup.find_all("script") if not tag.get("src") and tag.get("type") != "application/json"
    ] == []
    assert [link["href"] for link in soup.find_all("link", rel="stylesheet")] == [
        "/static/css/tokens.css",
        "/static/css/components.css",
    ]
    assert len(soup.select(".content .button.primary")) <= 1
    (title,) = soup.find_all("h1")
    return " ".join(title.get_text().split())


@pytest.mark.django_db
@pytest.mark.parametrize("path", ANONYMOUS)
def test_entrance_pages(path: str) -> None:
    response = Client().get(path, follow=True)
    assert (response.status_code, in_our_look(response)) == (200, ANONYMOUS[path])


@pytest.mark.parametrize("path", SIGNED_IN)
def test_account_pages(signed_in: Client, path: str) -> None:
    response = signed_in.get(path)
    assert (response.status_code, in_our_look(response)) == (200, SIGNED_IN[path])


def test_recovery_codes_after_setting_up_an_app(signed_in: Client, candidate: User) -> None:
    page = signed_in.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    code = pyotp.TOTP(secret).now()
    signed_in.post("/accounts/2fa/totp/activate/", {"code": code})
    assert in_our_look(signed_in.get("/accounts/2fa/recovery-codes/generate/")) == "Make recovery codes"
    assert in_our_look(signed_in.get("/accounts/2fa/recovery-codes/")) == "Recovery codes"
    assert in_our_look(signed_in.get("/accounts/2fa/totp/deactivate/")) == "Turn the authenticator app off?"
    assert len(signed_in.get("/accounts/2fa/recovery-codes/").context["unused_codes"]) == 10
    fresh = Client()
    second = fresh.post("/accounts/login/", {"login": candidate.email, "password": PASSWORD}, follow=True)
    assert in_our_look(second) == "The second step"


@pytest.mark.django_db
def test_signing_up_is_told_and_confirmed_by_mail(mailoutbox: list[Any]) -> None:
    client = Client()
    answer = client.post(
        "/accounts/signup/",
        {"name": "Nia New", "email": "new@example.org", "password1": "seven quiet stones"},
        follow=True,
    )
    assert in_our_look(answer) == "Look into your e-mail"
    (mail,) = mailoutbox
    assert (mail.subject, mail.to) == ("Confirm your e-mail address", ["new@example.org"])
    link = next(line for line in mail.body.splitlines() if line.startswith("http"))
    assert mail.body == (
        "Hello,\n\nPlease confirm that this address is yours. Open this link and press the button there:\n\n"
        f"{link}\n\nThe link works for three days. If you did not create an account with us, leave it: without your "
        "confirmation nothing happens.\n\nICG Coach Certification"
    )
    ((html, kind),) = mail.alternatives
    button = BeautifulSoup(html, "html.parser").find("a")
    assert (kind, button["href"], button.get_text()) == ("text/html", link, "Confirm my address")
    page = client.get(link.removeprefix("http://testserver"))
    assert in_our_look(page) == "Confirm your e-mail address"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "subject"),
    [("ada@example.org", "Choose a new password"), ("nobody@example.org", "There is no account with this address")],
)
def test_forgotten_password_is_answered_by_mail_alone(
    candidate: User, mailoutbox: list[Any], email: str, subject: str
) -> None:
    answer = Client().post("/accounts/password/reset/", {"email": email}, follow=True)
    assert in_our_look(answer) == "Look into your e-mail"
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [(subject, [email])]
    assert mailoutbox[0].body.startswith("Hello,\n\nSomebody, most likely you, asked ")


def test_changed_password_is_told_by_mail(signed_in: Client, mailoutbox: list[Any]) -> None:
    new = "eleven grey herons"
    signed_in.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    (mail,) = mailoutbox
    assert mail.subject == "Your password was changed"
    assert mail.body.startswith(
        "Hello,\n\nThe password of your account was changed.\n\nIf that was you, there is nothing"
    )


@pytest.mark.django_db
def test_errors_of_a_form_are_summed_up_on_top_and_tied_to_their_fields() -> None:
    soup = BeautifulSoup(
        Client().post("/accounts/signup/", {"name": "Nia", "email": "x", "password1": ""}).content, "html.parser"
    )
    assert [(a["href"], a.get_text()) for a in soup.select(".error-summary a")] == [
        ("#id_email", "E-mail address: Please write an address like name@example.org."),
        ("#id_password1", "Password: Please fill this in."),
    ]
    email = soup.find(id="id_email")
    assert (email["aria-invalid"], email["aria-describedby"]) == ("true", "id_email_error")
    assert soup.find(id="id_email_error").get_text(strip=True) == "Error:Please write an address like name@example.org."
