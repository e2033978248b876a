"""A released result put right: by two people, beside the old one, with all that follows from it."""

from datetime import timedelta
from fractions import Fraction
from functools import partial

import pytest
from django.db import IntegrityError, transaction

from candidates.models import Registration, User
from icg_cert.audit.models import Event
from icg_cert.lib.refusal import Refused
from icg_cert.mail.models import Message
from portfolios.models import Entry
from scoring import appeals, corrections, release, reports, second_path
from scoring.models import Certificate, Correction, Result
from tests.factories import MICROSECOND, at, make_cycle, make_registration, make_scored_entry, make_user
from tests.scoring.telling import DUE, NOVEMBER, release_year, score_of, standing, tell, twice
from tests.threads import run_all_at_once, run_at_once

LATER = NOVEMBER + timedelta(days=1)
WHY = "The second reading was typed wrongly."


@pytest.fixture
def registration(candidate: User) -> Registration:
    return make_registration(candidate, code="BCDF2345")


def refusal(verb: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refused) as refused:
        verb(*args, **kwargs)  # type: ignore[operator]
    return refused.value.code


def propose(registration: Registration, by: User, year: int = 2027, **scores: str) -> Correction:
    """`f1="2.5"` is the right score of factor 1."""
    right = {score_of(registration, int(name[1:]), year).entry_id: Fraction(text) for name, text in scores.items()}
    return corrections.propose(standing(registration, year).pk, scores=right, reason=WHY, by=by, at=NOVEMBER)


def correct(registration: Registration, staff: User, other: User, year: int = 2027, **scores: str) -> Result:
    found = propose(registration, staff, year, **scores)
    corrections.approve(found.pk, seen=NOVEMBER, by=other, at=LATER)
    return standing(registration, year)


def mails() -> list[str]:
    return list(Message.objects.order_by("pk").values_list("event", flat=True))


def test_a_correction_makes_another_result_and_keeps_the_old_one(
    registration: Registration, staff: User, other_staff: User
) -> None:
    old = tell(registration, (("1.75", "1.75", "1.00"),) * 2)
    new = correct(registration, staff, other_staff, f1="1.75")

    old.refresh_from_db()
    assert (old.superseded_at, old.superseded_reason, old.status, old.total) == (LATER, WHY, "not_yet", Fraction(39, 2))
    assert (new.replaces, new.status, new.total, new.policy) == (old, "certified", Fraction(79, 4), old.policy)
    assert (new.released_at, new.told_at) == (LATER, LATER)
    assert [(row.score, row.how) for row in new.factor_scores.all()] == [
        (Fraction(7, 4), "corrected"),
        *[(3, "averaged")] * 6,
    ]
    assert [row.rubric_hash for row in new.factor_scores.all()] == [row.rubric_hash for row in old.factor_scores.all()]
    assert Certificate.objects.get().result == new
    assert mails() == ["results_released", "certified", "result_corrected"]
    verbs = ["correction.propose", "result.supersede", "certificate.issue", "correction.approve"]
    assert list(Event.objects.filter(verb__in=verbs).order_by("pk").values_list("verb", flat=True)) == verbs


def test_the_report_says_what_was_corrected(registration: Registration, staff: User, other_staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    correct(registration, staff, other_staff, f1="35/12")
    [factor] = reports.report(standing(registration)).factors
    assert factor.how == "We found a mistake in this score and corrected it."
    assert factor.arithmetic[-1] == "Factor score: corrected from 2.000 to 2.917 (exactly 35/12)"


def test_corrected_again_the_chain_is_whole(registration: Registration, staff: User, other_staff: User) -> None:
    first = tell(registration, twice("2.00"), factors=1)
    second = correct(registration, staff, other_staff, f1="2.5")
    third = correct(registration, other_staff, staff, f1="3")
    assert (third.replaces, second.replaces, first.replaces) == (second, first, None)
    assert reports.report(third).factors[0].arithmetic[-1] == "Factor score: corrected from 2.000, then 2.500 to 3.000"
    assert list(Result.objects.earlier(LATER).order_by("pk")) == [first, second]
    assert Result.objects.filter(superseded_at=None).count() == 1


def test_two_people_by_verb_and_database(registration: Registration, staff: User, other_staff: User) -> None:
    tell(registration, factors=1)
    found = propose(registration, staff, f1="3.25")
    approving = partial(corrections.approve, found.pk, at=LATER)
    assert refusal(approving, seen=NOVEMBER, by=staff) == "same-person"
    assert refusal(approving, seen=NOVEMBER - MICROSECOND, by=other_staff) == "proposed-anew"
    assert refusal(approving, seen=None, by=other_staff) == "proposed-anew"
    with pytest.raises(IntegrityError, match="correction_takes_two"), transaction.atomic():
        Correction.objects.update(approved_by=staff)
    assert approving(seen=NOVEMBER, by=other_staff).state == "approved"
    assert approving(seen=None, by=other_staff).state == "approved"  # a repeat
    assert Result.objects.count() == 2


def test_nobody_corrects_their_own(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    assert refusal(propose, registration, registration.user, f1="3.25") == "own-registration"
    found = propose(registration, staff, f1="3.25")
    assert refusal(corrections.approve, found.pk, seen=NOVEMBER, by=registration.user, at=LATER) == "own-registration"


@pytest.mark.parametrize("right", ["2.917", "35/12", "59/27"])
def test_both_paths_carry_every_score_that_a_correction_may_name(
    registration: Registration, staff: User, other_staff: User, right: str
) -> None:
    """The gate of the next release adds up what was corrected, too."""
    tell(registration, factors=1)
    correct(registration, staff, other_staff, f1=right)
    rules = standing(registration, 2027).policy.rules()
    found = second_path.computed([registration.pk], make_cycle(2028), rules).sum_of(registration.pk)
    assert found == second_path.Sum(Fraction(right), 1, Fraction(right))


@pytest.mark.parametrize(
    ("right", "code"),
    [("3", "nothing-changes"), ("0.749", "not-a-score"), ("4.251", "not-a-score"), ("700/499", "not-a-score")],
)
def test_what_cannot_be_right_is_refused(registration: Registration, staff: User, right: str, code: str) -> None:
    tell(registration, factors=1)
    assert refusal(propose, registration, staff, f1=right) == code
    assert not Correction.objects.exists()


@pytest.mark.parametrize("right", ["0.75", "4.25"])
def test_the_ends_of_the_scale_are_scores(registration: Registration, staff: User, right: str) -> None:
    tell(registration, factors=1)
    assert propose(registration, staff, f1=right).state == "proposed"


def test_a_reason_is_asked_for(registration: Registration, staff: User) -> None:
    result = tell(registration, factors=1)
    right = {score_of(registration).entry_id: Fraction(4)}
    assert refusal(corrections.propose, result.pk, scores=right, reason=" ", by=staff, at=NOVEMBER) == "no-reason"


def test_proposed_anew_the_newer_stands_and_a_withdrawn_one_is_over(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, factors=1)
    first, second = propose(registration, staff, f1="3.25"), propose(registration, other_staff, f1="3.5")
    assert (first.pk, second.proposed_by) == (second.pk, other_staff)
    for _ in range(2):
        assert corrections.withdraw(first.pk, by=staff, at=LATER).state == "withdrawn"
    assert refusal(corrections.approve, first.pk, seen=NOVEMBER, by=staff, at=LATER) == "withdrawn"
    assert propose(registration, staff, f1="3.25").pk != first.pk


def test_what_was_replaced_is_not_corrected(registration: Registration, staff: User, other_staff: User) -> None:
    old = tell(registration, factors=1)
    correct(registration, staff, other_staff, f1="3.25")
    right = {score_of(registration).entry_id: Fraction(4)}
    assert refusal(corrections.propose, old.pk, scores=right, reason=WHY, by=staff, at=LATER) == "replaced"


def test_a_withheld_result_is_corrected_without_a_word(
    registration: Registration, staff: User, other_staff: User
) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    tell(registration)
    new = correct(registration, staff, other_staff, f1="3.25")
    assert (new.told_at, mails(), Certificate.objects.count()) == (None, ["results_withheld"], 0)
    assert not Result.objects.earlier(LATER).exists()  # nobody was ever told the old one
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    release.tell_paid(at(2028, 1, 1))
    assert (mails(), Certificate.objects.get().result) == (["results_withheld", "certified", "results_released"], new)


def test_lowered_it_leaves_the_certificate_to_staff(registration: Registration, staff: User, other_staff: User) -> None:
    tell(registration)
    certificate = Certificate.objects.get()
    assert corrections.unsupported() == []
    new = correct(registration, staff, other_staff, f1="1")
    assert (new.status, Certificate.objects.get().revoked_at) == ("not_yet", None)
    assert corrections.unsupported() == [certificate]
    assert Entry.objects.get(factor__number=1).outcome == "fell_short"
    assert correct(registration, staff, other_staff, f1="3").status == "certified"
    assert (corrections.unsupported(), Certificate.objects.get()) == ([], certificate)


def test_lowered_what_only_the_certificate_banked_falls_short_again(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, (("2.25", "2.25", "3.00"),) * 2)
    assert Entry.objects.get(factor__number=1).outcome == "banked"
    correct(registration, staff, other_staff, f2="1")
    outcomes = Entry.objects.order_by("factor__number").values_list("outcome", flat=True)
    assert list(outcomes) == ["fell_short", "fell_short", *["banked"] * 5]


def test_lowered_in_the_last_year_what_it_banked_of_the_first_falls_short_again(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, (("2.25", "2.25", "3.00"),) * 2, twice("1.25"))
    make_scored_entry(registration, 2, *twice("3.00"), year=2029, is_retake=True)
    assert release_year(registration, 2029).status == "certified"
    first = Entry.objects.get(factor__number=1)
    assert first.outcome == "banked"
    assert correct(registration, staff, other_staff, year=2029, f2="1").status == "not_certified"
    first.refresh_from_db()
    assert first.outcome == "fell_short"


def test_later_results_are_counted_anew_and_only_where_it_matters(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scored_entry(registration, 2, year=2028)
    late = release_year(registration, 2028)
    correct(registration, staff, other_staff, f1="2.5")
    anew = standing(registration, 2028)
    assert (anew.replaces, anew.total, anew.told_at) == (late, Fraction(11, 2), LATER)
    late.refresh_from_db()
    assert (
        late.superseded_reason
        == "A score of an earlier year that counts here was replaced, so we counted this result anew."
    )

    make_scored_entry(registration, 1, *twice("4.00"), year=2029, is_retake=True)
    last = release_year(registration, 2029)
    correct(registration, staff, other_staff, f1="2.25")
    assert standing(registration, 2029) == last  # the retake counts there
    assert standing(registration, 2028) != anew


def test_the_days_to_ask_go_on_for_what_did_not_change(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, twice("2.00"), factors=2)
    correct(registration, staff, other_staff, f1="2.5")
    starts = [appeals.window(score_of(registration, number)).opens_at for number in (1, 2)]
    assert starts == [LATER, DUE]


@pytest.mark.django_db(transaction=True)
def test_approved_on_threads_is_one_result(registration: Registration, staff: User, other_staff: User) -> None:
    tell(registration, factors=1)
    found, third = propose(registration, staff, f1="3.25"), make_user("Val Vega", "staff")
    run_at_once(partial(corrections.approve, found.pk, seen=NOVEMBER, by=other_staff, at=LATER), times=3)
    run_at_once(partial(corrections.approve, found.pk, seen=NOVEMBER, by=third, at=LATER), times=2)
    assert (Result.objects.count(), mails()) == (2, ["results_released", "result_corrected"])


@pytest.mark.django_db(transaction=True)
def test_approved_and_withdrawn_at_once_is_one_of_both(
    registration: Registration, staff: User, other_staff: User
) -> None:
    tell(registration, factors=1)
    found = propose(registration, staff, f1="3.25")

    def attempt(verb: object) -> str:
        try:
            return str(verb().state)  # type: ignore[operator]
        except Refused as refused:
            return refused.code

    approve = partial(corrections.approve, found.pk, seen=NOVEMBER, by=other_staff, at=LATER)
    withdraw = partial(corrections.withdraw, found.pk, by=staff, at=LATER)
    answers = run_all_at_once([partial(attempt, approve), partial(attempt, withdraw)])
    assert answers in (["approved", "approved"], ["withdrawn", "withdrawn"])
    assert Result.objects.count() == (2 if answers[0] == "approved" else 1)
