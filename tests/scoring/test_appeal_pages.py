"""What candidates and staff read of appeals, corrections and earlier reports, and what is refused in words."""

from datetime import datetime
from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pikepdf import Pdf
from pypdf import PdfReader
from pytest_django import DjangoAssertNumQueries

from candidates.models import Registration, User
from icg_cert.lib import clock
from scoring import appeals, release
from scoring.models import Appeal, Correction, Result, Sheet
from tests.factories import at, make_cycle, make_extension, make_registration, make_scorer
from tests.scoring.telling import (
    DUE,
    END_OF_ASKING,
    NOVEMBER,
    ask,
    read,
    release_year,
    score_of,
    standing,
    tell,
    twice,
)


@pytest.fixture
def registration(candidate: User) -> Registration:
    return make_registration(candidate, code="BCDF2345")


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def get(user: User, name: str, *args: object, when: datetime = NOVEMBER) -> tuple[int, str]:
    clock.jump_to(when)
    answer = client_of(user).get(reverse(f"scoring:{name}", args=args))
    main = BeautifulSoup(answer.content, "html.parser").find("main")
    return answer.status_code, " ".join(main.get_text(" ").split()) if main else ""


def post(user: User, name: str, *args: object, when: datetime = NOVEMBER, **data: object) -> tuple[int, str]:
    clock.jump_to(when)
    answer = client_of(user).post(reverse(f"scoring:{name}", args=args), data)
    main = BeautifulSoup(answer.content, "html.parser").find("main")
    return answer.status_code, " ".join(main.get_text(" ").split()) if main else ""


def cycle() -> int:
    return make_cycle(2027).pk


# ---- The candidate


def test_the_report_offers_each_score_until_the_last_day(registration: Registration, candidate: User) -> None:
    tell(registration, twice("2.00"), factors=2)
    said = get(candidate, "result-detail", cycle(), when=DUE)[1]
    assert "Until the end of 30 November 2027, Central Time" in said
    assert said.count("Ask for it") == 2
    assert "Have a score verified" not in get(candidate, "result-detail", cycle(), when=END_OF_ASKING)[1]


def test_the_report_offers_nothing_to_staff_but_to_correct(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    said = get(staff, "result-of", cycle(), "BCDF2345")[1]
    assert ("Have a score verified" in said, "Correct a score of this result" in said) == (False, True)


def test_appeal_of_a_factor_that_was_not_scored_is_404(registration: Registration, candidate: User) -> None:
    tell(registration, factors=1)
    statuses = [get(candidate, "appeal", cycle(), number)[0] for number in (1, 2, 8)]
    assert statuses == [200, 404, 404]


def test_appeal_of_what_is_withheld_is_404(registration: Registration, candidate: User) -> None:
    Registration.objects.update(payment_status=Registration.Payment.PO_COMMITTED)
    tell(registration, factors=1)
    assert get(candidate, "appeal", cycle(), 1)[0] == 404
    assert post(candidate, "appeal", cycle(), 1, reason="Please.")[0] == 404
    assert "Have a score verified" not in get(candidate, "result-detail", cycle())[1]
    Registration.objects.update(payment_status=Registration.Payment.PAID)
    assert get(candidate, "result-detail", cycle())[0] == 200  # a moment before the job tells it
    release.tell_paid(NOVEMBER)
    assert get(candidate, "appeal", cycle(), 1)[0] == 200


def test_appeal_after_the_last_day_says_so_and_takes_nothing(registration: Registration, candidate: User) -> None:
    tell(registration, factors=1)
    assert "It could be asked until 30 November 2027" in get(candidate, "appeal", cycle(), 1, when=END_OF_ASKING)[1]
    status, said = post(candidate, "appeal", cycle(), 1, when=END_OF_ASKING, reason="Please.")
    assert (status, "is over" in said, Appeal.objects.count()) == (409, True, 0)


def test_appeal_says_how_far_it_is(registration: Registration, candidate: User) -> None:
    tell(registration, factors=1)
    appeal = ask(registration)
    assert "Take this appeal back" in get(candidate, "appeal", cycle(), 1)[1]
    late = get(candidate, "appeal", cycle(), 1, when=appeal.decide_by)[1]
    assert "We promised a decision by the end of 25 December 2027" in late
    make_scorer()
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    Sheet.objects.filter(assignment__role="appeal").update(saved_at=NOVEMBER)
    begun = get(candidate, "appeal", cycle(), 1)[1]
    assert ("is reading the entry" in begun, "Take this appeal back" in begun) == (True, False)
    status, said = post(candidate, "appeal-withdraw", appeal.pk)
    assert (status, "A scorer has begun to read, so it goes on." in said) == (409, True)


def test_the_candidate_never_reads_who_read(registration: Registration, candidate: User, staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer("Zoe Quist")
    appeal = ask(registration)
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    said = [get(candidate, "appeal", cycle(), 1)[1], get(candidate, "result-detail", cycle())[1]]
    assert [name for name in ("Zoe", "Quist", "Stef", "Stone") for page in said if name in page] == []
    assert "(3.00 + 3.00 + 3.00) ÷ 3 = 3.000" in said[1]
    assert "Factor score: (2.000 + 2.000 + 3.000) ÷ 3 = 2.333 (exactly 7/3)" in said[1]
    assert "This report takes the place of an earlier one." in said[1]


def test_the_letter_is_accessible_and_says_the_decision(
    registration: Registration, candidate: User, staff: User
) -> None:
    tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="Thank you.\n\nBoth films were looked at.", by=staff, at=NOVEMBER)
    clock.jump_to(NOVEMBER)
    body = client_of(candidate).get(reverse("scoring:appeal-letter", args=[appeal.pk])).content
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(body)).pages).split())
    for told in (
        "Decision about your appeal",
        "Ada Abara",
        "2.333",
        "Both films were looked at.",
        "final for this score",
    ):
        assert told in text
    with Pdf.open(BytesIO(body)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert b"pdfuaid:part" in pdf.Root.Metadata.read_bytes()


@pytest.mark.parametrize("name", ["<script>alert(1)</script> #import", "李小龙", "a" * 149])
def test_the_letter_prints_any_name(registration: Registration, candidate: User, name: str, staff: User) -> None:
    tell(registration, factors=1)
    User.objects.filter(pk=candidate.pk).update(name=name)
    clock.jump_to(NOVEMBER)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="*#[ \\ $", by=staff, at=NOVEMBER)
    answer = client_of(candidate).get(reverse("scoring:appeal-letter", args=[appeal.pk]))
    assert (answer.status_code, answer.content[:5]) == (200, b"%PDF-")


def test_an_earlier_report_is_the_candidates_and_staffs(
    registration: Registration, candidate: User, staff: User, stranger: User
) -> None:
    old = tell(registration, twice("2.00"), factors=1)
    make_scorer()
    appeal = ask(registration)
    read(appeal, "3.00")
    appeals.decide(appeal.pk, words="", by=staff, at=NOVEMBER)
    statuses = {user.name: get(user, "result-version", old.pk)[0] for user in (candidate, staff, stranger)}
    assert statuses == {"Ada Abara": 200, "Stef Stone": 200, "Ben Borges": 404}
    assert get(candidate, "result-version", standing(registration).pk)[0] == 404  # it stands
    assert get(candidate, "result-version", old.pk, when=DUE)[0] == 404  # nothing was replaced yet
    Registration.objects.update(payment_status=Registration.Payment.DISPUTED)
    assert [get(user, "result-version", old.pk)[0] for user in (candidate, staff)] == [404, 200]


# ---- Staff


def test_appeal_list_and_detail_say_what_is_next(registration: Registration, staff: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    assert "No open appeal" in get(staff, "appeal-list")[1]
    appeal = ask(registration)
    assert "a scorer who may read it" in get(staff, "appeal-list")[1]
    assert "Late" in get(staff, "appeal-list", when=appeal.decide_by)[1]
    make_scorer("Rea Reader")
    assert "Choose a reader yourself" in get(staff, "appeal-detail", appeal.pk)[1]
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    detail = get(staff, "appeal-detail", appeal.pk)[1]
    assert ("Rea Reader: not final yet" in detail, "Tell the candidate" in detail) == (True, False)
    status, said = post(staff, "appeal-detail", appeal.pk, words="")
    assert (status, "A reading is still to come." in said) == (409, True)
    Appeal.objects.update(state="withdrawn", ended_at=NOVEMBER)
    assert "taken back, 10 November 2027" in get(staff, "appeal-list")[1]


def test_what_waits_stands_on_the_dashboard_of_staff(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    appeal = ask(registration)
    clock.jump_to(NOVEMBER)
    page = client_of(staff).get("/dashboard/").content.decode()
    assert "The first is to be decided by 25 December 2027." in page
    make_scorer()
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    assert "The first is to be decided by" not in client_of(staff).get("/dashboard/").content.decode()


def test_correction_form_keeps_what_was_typed(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    field = str(score_of(registration).entry_id)
    for typed, said in {
        "soon": "Write a score as 2.75, or as a fraction, 35/12.",
        "1/0": "Write a score as 2.75",
        "-2": "Write a score as 2.75",
        "²": "Write a score as 2.75",
        "9" * 50: "Write a score as 2.75",
        "5": "A score lies between 0.75 and 4.25.",
        "3.000": "These are the scores that stand already.",
    }.items():
        status, page = post(staff, "correction-propose", cycle(), "BCDF2345", reason="Wrong.", **{field: typed})
        assert (status, said in page) == (409, True), typed
    assert not Correction.objects.exists()
    assert post(staff, "correction-propose", cycle(), "BCDF2345", reason="Wrong.", **{field: "35/12"})[0] == 302


def test_correction_by_the_proposer_is_refused_in_words(registration: Registration, staff: User) -> None:
    tell(registration, factors=1)
    post(
        staff, "correction-propose", cycle(), "BCDF2345", reason="Wrong.", **{str(score_of(registration).entry_id): "2"}
    )
    found = Correction.objects.get()
    status, said = post(staff, "correction", found.pk, proposed_at=found.proposed_at.isoformat())
    assert (status, "Another member of staff has to approve it." in said, Result.objects.count()) == (409, True, 1)


@pytest.mark.parametrize("count", [1, 3])
def test_result_detail_asks_the_same_few_times_whatever_is_beside_it(
    registration: Registration, candidate: User, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    tell(registration, factors=count)
    for number in range(1, count + 1):
        ask(registration, number)
    clock.jump_to(NOVEMBER)
    client = client_of(candidate)
    client.get(reverse("scoring:result-detail", args=[cycle()]))
    with django_assert_num_queries(17):
        client.get(reverse("scoring:result-detail", args=[cycle()]))


# ---- Accommodations


def test_a_candidates_extension_is_seen_by_no_scorer(registration: Registration, scorer: User, lead: User) -> None:
    """Whoever reads for the release or for an appeal, nothing says that somebody had more time, or why."""
    make_extension(registration, reason="A surgery in May.")
    tell(registration, twice("2.00"), factors=1)
    for year in (2028, 2029):
        make_extension(registration, make_cycle(year), reason="A surgery in May.")
    appeal = ask(registration)
    appeals.follow_up(appeal.pk, at=NOVEMBER)
    sheet = Sheet.objects.get(assignment__role="appeal")
    pages = [
        *(get(scorer, name, *args)[1] for name, args in (("queue", []), ("sheet", [sheet.pk]))),
        *(get(lead, name)[1] for name in ("queue", "board", "agreement")),
    ]
    for said in pages:
        assert [word for word in ("urgery", "xtension", "more time", "22 June") if word in said] == []


def test_an_extension_of_the_third_year_is_part_of_what_is_told(registration: Registration, candidate: User) -> None:
    """On the page of their retakes, to the end of the day they were granted."""
    for year in (2028, 2029):
        make_cycle(year)
    tell(registration, twice("2.00"), factors=1)
    make_extension(registration, make_cycle(2029))
    assert "until the end of 22 June 2029" in get(candidate, "retake-list", when=at(2029, 6, 17))[1]
    release_year(registration, 2028)
    assert "Your retakes in year 3" in get(candidate, "result-detail", make_cycle(2028).pk, when=at(2029, 6, 17))[1]
    assert "Your retakes in year 3" not in get(candidate, "result-detail", make_cycle(2028).pk, when=at(2029, 6, 23))[1]
