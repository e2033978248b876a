"""Certificates: issued once, verified by whoever has the code, revoked or replaced with a reason."""

from datetime import timedelta

import pytest
from django.db import InternalError, transaction

from candidates.models import User
from icg_cert.audit.models import Event
from icg_cert.lib.guesses import MISSES
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from scoring import certificates
from scoring.certificates import Answer, Verification
from scoring.models import Certificate, Result
from tests.factories import (
    MICROSECOND,
    make_choices,
    make_cycle,
    make_registration,
    make_release,
    make_result,
)
from tests.scoring.holding import CODE, DUE, LATER, ask, certified, words
from tests.threads import run_behind

DAY = timedelta(days=1)


@pytest.fixture
def certificate(candidate: User) -> Certificate:
    return certified(candidate)


@pytest.fixture
def result(candidate: User) -> Result:
    make_release(make_cycle(2027), "released")
    return make_result(make_registration(candidate), released_at=DUE)


def rename(certificate: Certificate, name: str, by: User) -> Certificate:
    return certificates.reissue(certificate.pk, name=name, reason="Married, document seen.", by=by, at=LATER)


# ---- Issuing


def test_issue_keeps_the_name_of_that_day(result: Result, candidate: User) -> None:
    certificate = certificates.issue(result, at=DUE)
    candidate.name = "Ada Newname"
    candidate.save()
    certificate.refresh_from_db()
    assert (certificate.holder_name, certificate.issued_at, certificate.is_revoked) == ("Ada Abara", DUE, False)


def test_issue_twice_keeps_the_first_and_mails_once(result: Result) -> None:
    certificate = certificates.issue(result, at=DUE)
    assert certificates.issue(result, at=DUE + DAY) == certificate
    assert Message.objects.filter(event="certified").count() == 1
    assert Event.objects.filter(verb="certificate.issue").count() == 1


def test_issue_after_a_change_of_name_keeps_the_newer_one(certificate: Certificate, staff: User) -> None:
    new = rename(certificate, "Ada Adebayo", staff)
    assert certificates.issue(certificate.result, at=LATER + DAY) == new


def test_issue_for_a_result_that_certifies_nobody_is_a_defect(result: Result) -> None:
    result.status = Result.Status.NOT_YET
    with pytest.raises(ValueError, match="is not certified"):
        certificates.issue(result, at=DUE)


@pytest.mark.parametrize("changes", [{"holder_name": "Eve"}, {"code": "BBBBBBBB"}, {"issued_at": LATER}])
def test_database_keeps_a_certificate_as_it_was_issued(certificate: Certificate, changes: dict[str, object]) -> None:
    with pytest.raises(InternalError, match="Cannot update"):
        Certificate.objects.update(**changes)


def test_database_deletes_no_certificate(certificate: Certificate) -> None:
    with pytest.raises(InternalError, match="Cannot delete"):
        certificate.delete()


@pytest.mark.parametrize("end", ["revoked_at", "replaced_at"])
def test_database_keeps_the_end_of_a_certificate(certificate: Certificate, end: str) -> None:
    Certificate.objects.update(**{end: LATER})
    for changes in ({end: None}, {"revoked_reason": "Another."}):
        with transaction.atomic(), pytest.raises(InternalError, match="Cannot update"):
            Certificate.objects.update(**changes)
        transaction.set_rollback(False)


# ---- Revoking


def test_revoke_needs_a_reason_and_keeps_the_first(certificate: Certificate, staff: User) -> None:
    with pytest.raises(Refused) as refused:
        certificates.revoke(certificate.pk, reason="  ", by=staff, at=DUE)
    assert refused.value.code == "no-reason"
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    certificates.revoke(certificate.pk, reason="Another.", by=staff, at=DUE + DAY)
    assert Certificate.objects.values_list("revoked_at", "revoked_reason").get() == (DUE, "The video was not theirs.")
    assert list(Event.objects.filter(verb="certificate.revoke").values_list("actor", "reason")) == [
        (staff.pk, "The video was not theirs.")
    ]


def test_revoke_tells_the_holder_why(certificate: Certificate, candidate: User, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    message = Message.objects.get(event="certificate_revoked")
    assert (message.user, message.subject) == (candidate, "Your certificate was revoked")
    assert "K7PQ M3XZ" in message.body_text
    assert "The reason: The video was not theirs." in message.body_text


@pytest.mark.django_db(transaction=True)
def test_revoke_at_once_is_one_revocation(candidate: User, staff: User) -> None:
    certificate = certified(candidate)

    def revoke() -> Certificate:
        return certificates.revoke(certificate.pk, reason="Why.", by=staff, at=DUE)

    assert run_behind(revoke, [revoke]) == [certificate]
    assert Event.objects.filter(verb="certificate.revoke").count() == 1


# ---- Another name


def test_reissue_is_a_new_certificate_of_the_same_award(certificate: Certificate, staff: User) -> None:
    new = rename(certificate, "  Ada   Adebayo ", staff)
    old = Certificate.objects.get(pk=certificate.pk)
    assert (old.holder_name, old.code, old.replaced_at, old.replaced_by) == ("Ada Abara", CODE, LATER, new)
    assert (new.holder_name, new.issued_at, new.result, new.awarded_at) == ("Ada Adebayo", LATER, old.result, DUE)
    assert new.code != CODE


def test_reissue_is_audited_with_reason_and_both_names(certificate: Certificate, staff: User) -> None:
    new = rename(certificate, "Ada Adebayo", staff)
    event = Event.objects.get(verb="certificate.reissue")
    assert (event.actor, event.reason, event.object_id) == (staff, "Married, document seen.", str(new.pk))
    assert event.before == {"code": CODE, "holder_name": "Ada Abara"}
    assert event.after == {"code": new.code, "holder_name": "Ada Adebayo"}


def test_reissue_mails_the_new_code_and_no_name(certificate: Certificate, candidate: User, staff: User) -> None:
    new = rename(certificate, "Ada Adebayo", staff)
    message = Message.objects.get(event="certificate_reissued")
    assert (message.user, message.subject) == (candidate, "Your new certificate is ready")
    assert f"{new.code[:4]} {new.code[4:]}" in message.body_text
    assert "Adebayo" not in message.body_text + message.body_html


def test_reissue_twice_is_once(certificate: Certificate, staff: User) -> None:
    assert rename(certificate, "Ada Adebayo", staff) == rename(certificate, "Ada Adebayo", staff)
    assert Certificate.objects.count() == 2
    assert Message.objects.filter(event="certificate_reissued").count() == 1


def test_reissue_of_a_replaced_one_names_the_one_to_open(certificate: Certificate, staff: User) -> None:
    new = rename(certificate, "Ada Adebayo", staff)
    with pytest.raises(Refused) as refused:
        rename(certificate, "Ada Third", staff)
    assert (refused.value.code, new.code in refused.value.message) == ("replaced", True)
    with pytest.raises(Refused, match="was replaced by"):
        certificates.revoke(certificate.pk, reason="Why.", by=staff, at=LATER)
    third = rename(new, "Ada Third", staff)
    assert [one.replaces for one in (third, new)] == [new, certificate]


@pytest.mark.parametrize(
    ("name", "reason", "code"),
    [(" ", "Why.", "no-name"), ("Ada Abara", "Why.", "same-name"), ("Ada Adebayo", " ", "no-reason")],
)
def test_reissue_refused_changes_nothing(
    certificate: Certificate, staff: User, name: str, reason: str, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        certificates.reissue(certificate.pk, name=name, reason=reason, by=staff, at=LATER)
    assert refused.value.code == code
    assert not Certificate.objects.get().is_replaced


def test_reissue_gives_nothing_to_a_revoked_one(certificate: Certificate, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=DUE)
    with pytest.raises(Refused) as refused:
        rename(certificate, "Ada Adebayo", staff)
    assert refused.value.code == "revoked"


@pytest.mark.django_db(transaction=True)
def test_reissue_at_once_is_one_certificate(candidate: User, staff: User) -> None:
    certificate = certified(candidate)

    def reissue() -> Certificate:
        return rename(certificate, "Ada Adebayo", staff)

    [second] = run_behind(reissue, [reissue])
    assert Certificate.objects.in_force(LATER).get() == second
    assert Message.objects.filter(event="certificate_reissued").count() == 1


@pytest.mark.django_db(transaction=True)
def test_reissue_behind_a_revocation_finds_it_revoked(candidate: User, staff: User) -> None:
    certificate = certified(candidate)

    def revoke() -> Certificate:
        return certificates.revoke(certificate.pk, reason="Why.", by=staff, at=LATER)

    with pytest.raises(Refused, match="was revoked"):
        run_behind(revoke, [lambda: rename(certificate, "Ada Adebayo", staff)])


# ---- Verifying


@pytest.mark.parametrize(
    "typed", ["K7PQM3XZ", "k7pqm3xz", " k7pq m3xz ", "K7PQ-M3XZ", "https://example.org/verify/K7PQM3XZ/", "k7pq.m3xz"]
)
def test_verify_reads_codes_as_people_type_them(certificate: Certificate, typed: str) -> None:
    assert certificates.verify(typed, DUE) == Verification(CODE, Answer.VALID, certificate, "Ada Abara")


@pytest.mark.parametrize("typed", ["", "K7PQM3X", "K7PQM3XZZ", "BBBBBBBB", "' OR 1=1 --", "\x00", "é" * 500])
def test_verify_knows_nothing_else(certificate: Certificate, typed: str) -> None:
    assert certificates.verify(typed, DUE).answer is Answer.UNKNOWN


def test_verify_by_the_instants(certificate: Certificate, staff: User) -> None:
    revoked_at = DUE + timedelta(days=10)
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=revoked_at)
    answers = [
        certificates.verify("K7PQM3XZ", when).answer
        for when in (DUE - MICROSECOND, DUE, revoked_at - MICROSECOND, revoked_at)
    ]
    assert answers == [Answer.UNKNOWN, Answer.VALID, Answer.VALID, Answer.REVOKED]


# ---- The pages


def test_verify_page_valid(certificate: Certificate) -> None:
    response = ask("/verify/k7pq m3xz/")
    assert (response.status_code, response["X-Robots-Tag"]) == (200, "noindex, nofollow")
    assert "This certificate is valid" in words(response)
    assert "Ada Abara is certified as an instructional coach" in words(response)
    assert "31 October 2027" in words(response)


def test_verify_page_shows_nothing_but_name_and_day(certificate: Certificate, candidate: User) -> None:
    html = ask("/verify/K7PQM3XZ/").content.decode()
    for secret in [candidate.email, certificate.registration.code, certificate.registration.district, "3.000"]:
        assert secret not in html


def test_verify_page_revoked_keeps_the_reason(certificate: Certificate, staff: User) -> None:
    certificates.revoke(certificate.pk, reason="The video was not theirs.", by=staff, at=DUE)
    response = ask("/verify/K7PQM3XZ/")
    assert (response.status_code, "This certificate was revoked" in words(response)) == (200, True)
    assert "The video was not theirs." not in words(response)


def test_verify_page_unknown(certificate: Certificate) -> None:
    response = ask("/verify/bbbb2222/")
    assert (response.status_code, response["X-Robots-Tag"]) == (404, "noindex, nofollow")
    assert "We know no certificate with this code" in words(response)


def test_verify_form_goes_to_the_code(db: None) -> None:
    response = ask("/verify/?code=k7pq+m3xz")
    assert (response.status_code, response["Location"]) == (302, "/verify/K7PQM3XZ/")
    assert "Enter the code that is printed" in words(ask("/verify/?code=+"))


def test_verify_slows_down_guessing_and_nothing_else(certificate: Certificate) -> None:
    for number in range(MISSES - 1):
        assert ask(f"/verify/BBBB{number}/").status_code == 404
    assert ask("/verify/K7PQM3XZ/").status_code == 200
    assert ask("/verify/BBBBBBBB/").status_code == 404
    slowed = ask("/verify/BBBBBBBB/")
    assert (slowed.status_code, slowed["Retry-After"]) == (429, "600")
    assert "wait ten minutes" in words(slowed)


def test_verify_page_of_a_replaced_one_tells_no_name_and_no_code(certificate: Certificate, staff: User) -> None:
    new = rename(certificate, "Ada Adebayo", staff)
    response = ask("/verify/K7PQM3XZ/")
    assert (response.status_code, "This certificate was replaced" in words(response)) == (200, True)
    for secret in ("Ada", "Abara", "Adebayo", new.code):
        assert secret not in words(response)
    assert "Ada Adebayo is certified" in words(ask(f"/verify/{new.code}/"))
    assert "Issued anew on 10 November 2027" in words(ask(f"/verify/{new.code}/"))


def test_verify_of_a_replaced_one_compares_no_name(certificate: Certificate, staff: User) -> None:
    rename(certificate, "Ada Adebayo", staff)
    verification = certificates.verify(CODE, LATER)
    assert verification == Verification(CODE, Answer.REPLACED, certificate, name="")
    assert not certificates.is_name_of(verification, "Ada Abara")
    assert "same name" not in words(ask("/verify/K7PQM3XZ/", method="post", name="Ada Abara"))


@pytest.mark.parametrize("revoked", [False, True])
def test_verify_page_hides_the_name_of_who_chose_so(certificate: Certificate, staff: User, revoked: bool) -> None:
    make_choices(certificate.registration.user, shows_name=False, is_listed=False)
    if revoked:
        certificates.revoke(certificate.pk, reason="Why.", by=staff, at=DUE)
    response = ask("/verify/K7PQM3XZ/")
    assert (response.status_code, "Ada" in response.content.decode()) == (200, False)
    assert "The holder chose not to show their name" in words(response)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("Ada Abara", "The same name"),
        ("  ada   ABARA ", "The same name"),
        ("Ada Abare", "Not this name"),
        ("Ada", "Not this name"),
        ("", "Write the name you were told."),
    ],
)
def test_verify_page_compares_a_name(certificate: Certificate, told: str, expected: str) -> None:
    make_choices(certificate.registration.user, shows_name=False, is_listed=False)
    response = ask("/verify/K7PQM3XZ/", method="post", name=told)
    assert (response.status_code, response["X-Robots-Tag"]) == (200, "noindex, nofollow")
    assert expected in words(response)


def test_verify_page_slows_down_guessing_of_names(certificate: Certificate) -> None:
    make_choices(certificate.registration.user, shows_name=False, is_listed=False)
    for number in range(MISSES):
        assert ask("/verify/K7PQM3XZ/", method="post", name=f"Ada {number}").status_code == 200
    assert ask("/verify/K7PQM3XZ/", method="post", name="Ada Abara").status_code == 429


def test_names_are_the_same_however_they_are_coded(certificate: Certificate, candidate: User, staff: User) -> None:
    new = rename(certificate, "Zo\u00eb Stra\u00dfe", staff)
    verification = certificates.verify(new.code, LATER)
    assert certificates.is_name_of(verification, "zoe\u0308 STRASSE")
    assert not certificates.is_name_of(verification, "Zoe Strasse")


def test_verify_page_revoked_while_it_was_open(certificate: Certificate, staff: User) -> None:
    make_choices(certificate.registration.user, shows_name=False, is_listed=False)
    assert "This certificate is valid" in words(ask("/verify/K7PQM3XZ/"))
    certificates.revoke(certificate.pk, reason="Why.", by=staff, at=LATER)
    assert "This certificate was revoked" in words(ask("/verify/K7PQM3XZ/", method="post", name="Ada Abara"))
