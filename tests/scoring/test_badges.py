"""Badges, seen by somebody else's verifier: every signature is checked by hand, every address asked for."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from gzip import decompress
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from django.core.management import CommandError, call_command
from django.http import HttpResponse
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, RSAKey
from jsonschema import Draft202012Validator
from pytest_django import Settings

from candidates.models import User
from icg_cert.lib.guesses import MISSES
from scoring import certificates
from scoring.badges import keys, proofs, status
from scoring.models import Certificate
from tests.factories import make_certificate, make_choices, make_programme
from tests.scoring import ob3
from tests.scoring.holding import CODE, DUE, LATER, ask, b64, certified, opened, verify_by_hand

HERE = "http://localhost:8000"
BADGE = f"/badges/{CODE}/"
MINUTE = timedelta(minutes=1)  # the clock of the tests runs on


@pytest.fixture
def certificate(candidate: User, badge_key: Path) -> Certificate:
    make_programme()
    return certified(candidate)


def body(response: HttpResponse) -> str:
    assert response.status_code == 200
    return response.content.decode()


def fetch(url: str) -> Any:
    """The JSON at an address that stands in a badge."""
    assert url.startswith(HERE)
    return json.loads(body(ask(url.removeprefix(HERE))))


def verify(token: str) -> dict[str, Any]:
    """The claims of a token, once its key was fetched from the address in its header and its signature holds."""
    header, claims = opened(token)
    assert set(header) == {"alg", "kid", "typ"}
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    verify_by_hand(token, fetch(header["kid"]))
    return claims


def is_revoked(claims: dict[str, Any], when: datetime = LATER) -> bool:
    """By the algorithm of Bitstring Status List 1.0, from the entry in the badge to the bit."""
    entry = claims["credentialStatus"]
    path = entry["statusListCredential"].removeprefix(HERE)
    listed = verify(body(ask(path, when=when)))["credentialSubject"]
    bits = decompress(b64(listed["encodedList"].removeprefix("u")))
    assert len(bits) * 8 >= 131_072
    index = int(entry["statusListIndex"])
    return bool(bits[index // 8] >> (7 - index % 8) & 1)


def without(claims: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if name not in names}


def checked(value: dict[str, Any], schema: ob3.Schema) -> None:
    assert [error.message for error in Draft202012Validator(schema).iter_errors(value)] == []


# ---- What a badge says


def test_badge_is_what_the_standard_asks_for(certificate: Certificate) -> None:
    claims = verify(body(ask(BADGE)))
    checked(without(claims, list(ob3.CLAIMS)), ob3.CREDENTIAL)
    checked({name: claims[name] for name in ob3.CLAIMS}, ob3.thing(ob3.CLAIMS))


def test_badge_says_the_same_as_its_claims(certificate: Certificate) -> None:
    claims = verify(body(ask(BADGE)))
    assert claims["iss"] == claims["issuer"]["id"] == f"{HERE}/badges/issuer/"
    assert claims["jti"] == claims["id"] == f"{HERE}{BADGE}"
    assert claims["sub"] == claims["credentialSubject"]["id"]
    assert claims["validFrom"] == claims["awardedDate"] == "2027-10-31T14:00:00Z"
    assert datetime.fromtimestamp(claims["nbf"], UTC) == DUE


def test_badge_is_the_same_whenever_it_is_asked_for(certificate: Certificate) -> None:
    assert body(ask(BADGE)) == body(ask(f"/badges/{CODE[:4].lower()}-{CODE[4:]}/"))


def test_badge_keeps_the_day_of_award_under_a_new_name(certificate: Certificate, staff: User) -> None:
    new = certificates.reissue(certificate.pk, name="Ada Adebayo", reason="Why.", by=staff, at=LATER)
    claims = verify(body(ask(f"/badges/{new.code}/")))
    assert (claims["awardedDate"], claims["validFrom"]) == ("2027-10-31T14:00:00Z", "2027-11-10T18:00:00Z")


def identities(claims: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["identityType"]: one for one in claims["credentialSubject"]["identifier"]}


def is_of(identity: dict[str, Any], told: str) -> bool:
    """As the standard says, section B.1.9: the value, then the salt."""
    return identity["identityHash"] == f"sha256${sha256((told + identity['salt']).encode()).hexdigest()}"


def test_badge_lets_a_name_be_checked_and_none_be_read(certificate: Certificate, candidate: User) -> None:
    token = body(ask(BADGE))
    claims = verify(token)
    [(kind, name)] = identities(claims).items()
    assert (kind, is_of(name, "Ada Abara"), is_of(name, "Eve Abara")) == ("name", True, False)
    for secret in ("Ada", "Abara", candidate.email, certificate.registration.district):
        assert secret not in json.dumps(claims)


def test_badge_carries_the_address_of_who_chose_so(certificate: Certificate, candidate: User) -> None:
    make_choices(candidate, names_email=True)
    found = identities(verify(body(ask(BADGE))))
    assert set(found) == {"name", "emailAddress"}
    assert (is_of(found["emailAddress"], "ada@example.org"), is_of(found["name"], "Ada Abara")) == (True, True)
    assert found["emailAddress"]["salt"] != found["name"]["salt"]


def test_badge_of_who_hides_their_name_carries_nothing_to_guess_it_by(
    certificate: Certificate, candidate: User
) -> None:
    make_choices(candidate, shows_name=False, is_listed=False)
    claims = verify(body(ask(BADGE)))
    checked(without(claims, list(ob3.CLAIMS)), ob3.CREDENTIAL)
    assert "identifier" not in claims["credentialSubject"]


def test_badges_of_two_people_share_no_salt_and_no_subject(certificate: Certificate) -> None:
    other = make_certificate(holder_name="Ada Abara")
    one, two = (verify(body(ask(f"/badges/{code}/"))) for code in (CODE, other.code))
    assert one["sub"] != two["sub"]
    assert identities(one)["name"]["identityHash"] != identities(two)["name"]["identityHash"]


def test_badge_leads_to_its_issuer_and_its_achievement(certificate: Certificate) -> None:
    claims = verify(body(ask(BADGE)))
    context = {"@context": claims["@context"]}
    assert fetch(claims["iss"]) == {**context, **claims["issuer"]}
    assert claims["issuer"]["email"] == "certification@example.org"
    achievement = claims["credentialSubject"]["achievement"]
    assert fetch(achievement["id"]) == {**context, **achievement}
    assert ask(achievement["criteria"]["id"].removeprefix(HERE)).status_code == 200


def test_badge_has_a_picture(certificate: Certificate) -> None:
    picture = verify(body(ask(BADGE)))["credentialSubject"]["achievement"]["image"]["id"]
    assert picture == f"{HERE}/static/img/badge.svg"
    assert (Path(__file__).parents[2] / "static/img/badge.svg").read_text().startswith("<svg")


def test_holder_gets_the_same_badge_as_a_file(certificate: Certificate, candidate: User) -> None:
    response = ask(f"/certificates/{CODE}/badge.jwt", candidate)
    assert body(response) == body(ask(BADGE))
    assert response["Content-Disposition"] == 'attachment; filename="ICG-badge-K7PQM3XZ.jwt"'


# ---- What does not hold


@pytest.mark.parametrize("part", [0, 1, 2])
def test_changed_badge_does_not_verify(certificate: Certificate, part: int) -> None:
    token = body(ask(BADGE))
    parts = token.split(".")
    middle = len(parts[part]) // 2
    letter = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + letter + parts[part][middle + 1 :]
    with pytest.raises(InvalidSignature):
        verify_by_hand(".".join(parts), fetch(opened(token)[0]["kid"]))


def test_badge_that_another_key_signed_does_not_verify(certificate: Certificate, settings: Settings) -> None:
    ours = body(ask(BADGE))
    Path(settings.BADGE_KEYS_FILE).unlink()
    keys.add()
    with pytest.raises(InvalidSignature):
        verify_by_hand(ours, keys.public(keys.ring()[0]))


def test_revoked_badge_is_gone_and_on_the_list(certificate: Certificate, staff: User) -> None:
    claims = verify(body(ask(BADGE)))
    assert not is_revoked(claims)
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=LATER)
    assert (is_revoked(claims, LATER - MINUTE), is_revoked(claims)) == (False, True)
    assert (ask(BADGE).status_code, ask(BADGE).content) == (410, b"This badge was revoked.")


def test_replaced_badge_is_gone_and_on_the_list_and_the_new_one_is_not(certificate: Certificate, staff: User) -> None:
    old = verify(body(ask(BADGE)))
    new = certificates.reissue(certificate.pk, name="Ada Adebayo", reason="Why.", by=staff, at=LATER)
    assert (ask(BADGE).status_code, ask(BADGE).content) == (410, b"This badge was replaced.")
    assert (is_revoked(old), is_revoked(verify(body(ask(f"/badges/{new.code}/"))))) == (True, False)


def test_unknown_badge_is_404_and_guessing_is_slowed(certificate: Certificate) -> None:
    for number in range(MISSES):
        assert ask(f"/badges/BBBB{number}/").status_code == 404
    assert ask(BADGE).status_code == 429


def test_badge_before_it_is_issued_is_unknown(certificate: Certificate) -> None:
    assert ask(BADGE, when=DUE - MINUTE).status_code == 404


# ---- The list of what was revoked


def test_status_list_is_what_the_standard_asks_for(certificate: Certificate) -> None:
    response = ask("/badges/status/0/")
    assert (response["Content-Type"], response["Access-Control-Allow-Origin"]) == ("application/vc+jwt", "*")
    claims = verify(body(response))
    checked(without(claims, list(ob3.CLAIMS)), ob3.STATUS_LIST)
    assert claims["jti"] == claims["id"] == f"{HERE}/badges/status/0/"
    assert (claims["iss"], claims["sub"]) == (f"{HERE}/badges/issuer/", f"{HERE}/badges/status/0/#list")


@pytest.mark.parametrize("number", [1, 10**30])
def test_status_list_of_nobody_is_404(certificate: Certificate, number: int) -> None:
    assert ask(f"/badges/status/{number}/").status_code == 404


def test_status_list_begins_with_the_first_certificate(candidate: User, badge_key: Path) -> None:
    later = make_certificate(pk=status.SIZE + 3)
    assert ask("/badges/status/0/").status_code == 404
    entry = verify(body(ask(f"/badges/{later.code}/")))["credentialStatus"]
    assert (entry["statusListIndex"], entry["id"]) == ("3", f"{HERE}/badges/status/1/#3")


@given(st.sets(st.integers(0, status.SIZE - 1), max_size=50))
def test_status_list_sets_the_bits_of_these_and_of_no_other(wanted: set[int]) -> None:
    bits = decompress(b64(status.encoded(wanted)[1:]))
    assert len(bits) == status.SIZE // 8
    assert {n for n in range(status.SIZE) if bits[n // 8] and bits[n // 8] & (0b10000000 >> n % 8)} == wanted


# ---- Keys


def test_keys_are_public_halves_named_as_in_a_token(certificate: Certificate) -> None:
    response = ask("/.well-known/jwks.json")
    [key] = json.loads(body(response))["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    kid = opened(body(ask(BADGE)))[0]["kid"]
    assert key == fetch(kid) == {**key, "kid": kid, "use": "sig", "alg": "RS256"}


def test_unknown_kid_is_404(certificate: Certificate) -> None:
    assert ask("/badges/keys/nobody/").status_code == 404


def test_new_key_signs_and_the_old_one_still_verifies(certificate: Certificate, badge_key: Path) -> None:
    before = body(ask(BADGE))
    said = StringIO()
    call_command("make_badge_key", stdout=said)
    after = body(ask(BADGE))
    old, new = (opened(token)[0]["kid"] for token in (before, after))
    assert (old != new, new.split("/")[-2] in said.getvalue()) == (True, True)
    assert verify(before) == verify(after)
    assert [key["kid"] for key in fetch(f"{HERE}/.well-known/jwks.json")["keys"]] == [old, new]
    assert not is_revoked(verify(before))


def test_new_key_leaves_no_other_private_half(badge_key: Path) -> None:
    keys.add()
    assert ["d" in key for key in json.loads(badge_key.read_text())["keys"]] == [False, True]
    assert badge_key.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in badge_key.parent.glob("badge-keys*")] == ["badge-keys.json"]


def test_first_key_makes_the_file(settings: Settings) -> None:
    assert keys.ring() == ()
    keys.add()
    [key] = keys.ring()
    assert (key.is_private, key.raw_value.key_size) == (True, keys.BITS)


def test_command_wants_to_know_where(settings: Settings) -> None:
    settings.BADGE_KEYS_FILE = ""
    with pytest.raises(CommandError, match="Set BADGE_KEYS_FILE"):
        call_command("make_badge_key")


def rows(*keys: RSAKey | ECKey, without: str = "") -> str:
    held = [key.as_dict(private=True) for key in keys]
    return json.dumps({"keys": [{name: value for name, value in row.items() if name != without} for row in held]})


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    "made",
    [
        lambda: "",
        lambda: "[]",
        lambda: "{}",
        lambda: '{"keys": 5}',
        lambda: '{"keys": [{}]}',
        lambda: rows(RSAKey.generate_key(1024, auto_kid=True)),
        lambda: rows(RSAKey.generate_key(2048, auto_kid=True), without="kid"),
        lambda: rows(ECKey.generate_key("P-256", auto_kid=True)),
    ],
)
def test_file_that_holds_no_keys_is_named_and_kept(settings: Settings, made: Callable[[], str]) -> None:
    file, content = Path(settings.BADGE_KEYS_FILE), made()
    file.write_text(content)
    with pytest.raises(keys.UnreadableKeys, match="badge-keys"):
        keys.ring()
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("make_badge_key")
    assert file.read_text() == content


def test_public_halves_alone_verify_and_sign_nothing(certificate: Certificate, badge_key: Path) -> None:
    kid = opened(body(ask(BADGE)))[0]["kid"]
    [key] = keys.ring()
    badge_key.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    assert keys.signing_key() is None
    assert ask(kid.removeprefix(HERE)).status_code == 200


def test_without_a_key_there_are_no_badges(candidate: User) -> None:
    certified(candidate)
    asked = [BADGE, "/badges/status/0/", f"/certificates/{CODE}/badge.jwt"]
    assert [ask(url, candidate).status_code for url in asked] == [404, 404, 404]
    assert json.loads(body(ask("/.well-known/jwks.json"))) == {"keys": []}
    assert proofs.badge(Certificate.objects.get()) is None


@pytest.mark.parametrize("url", [BADGE, "/badges/issuer/", "/badges/achievement/", "/.well-known/jwks.json"])
def test_verifiers_may_ask_from_any_page(certificate: Certificate, url: str) -> None:
    response = ask(url)
    assert (response["Access-Control-Allow-Origin"], response["X-Robots-Tag"]) == ("*", "noindex, nofollow")
    assert "Set-Cookie" not in response.headers
