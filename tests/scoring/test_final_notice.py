"""The final certification notice: when there is one, what it says, and that it agrees with how long files are kept."""

from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from pikepdf import Pdf
from pypdf import PdfReader

from candidates.models import Registration, User
from icg_cert.lib import clock
from icg_cert.mail.models import Message
from portfolios import retention
from scoring import final_notice, results
from scoring.models import Result
from tests.factories import MICROSECOND, at, make_cycle, make_registration, make_result, make_upload
from tests.scoring.telling import DUE, END_OF_ASKING, score_of, standing, tell, twice


@pytest.fixture
def registration(candidate: User) -> Registration:
    return make_registration(candidate, code="BCDF2345")


def get(user: User, name: str, cycle: int) -> tuple[int, bytes]:
    client = Client()
    client.force_login(user)
    answer = client.get(reverse(f"scoring:{name}", args=[cycle]))
    return answer.status_code, answer.content


def words(html: bytes) -> str:
    main = BeautifulSoup(html, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


@pytest.mark.parametrize(
    ("status", "is_final"), [("certified", True), ("in_progress", False), ("not_yet", False), ("not_certified", True)]
)
def test_what_ends_the_process_is_final(status: str, is_final: bool) -> None:
    assert results.is_final(Result(status=status)) is is_final


def test_certified_says_so_and_what_remains(registration: Registration, candidate: User) -> None:
    tell(registration)
    for year in (2028, 2029):
        make_cycle(year)
    clock.jump_to(DUE)
    cycle = make_cycle(2027).pk
    status, page = get(candidate, "notice", cycle)
    assert status == 200
    said = words(page)
    assert "Both rules of certification are met: you are a certified instructional coach." in said
    assert "Until the end of 30 November 2027 you can ask" in said
    assert "register again" not in said
    assert "The files you handed in are kept until 31 October 2030" in said
    assert "Read your final notice" in words(get(candidate, "result-detail", cycle)[1])


def test_the_notice_and_retention_agree(registration: Registration) -> None:
    """To the day that the page says, and to the instant at which the files are due."""
    result = tell(registration)
    for year in (2028, 2029):
        make_cycle(year)
    upload = make_upload(score_of(registration).entry)
    kept_until = final_notice.of(result, DUE).kept_until
    assert kept_until is not None
    assert retention.due_one(upload.pk, kept_until - MICROSECOND) is None
    assert retention.due_one(upload.pk, kept_until) is not None


def test_after_the_days_to_ask_it_speaks_of_them_no_more(registration: Registration) -> None:
    result = tell(registration)
    assert "you can ask" in final_notice.of(result, END_OF_ASKING - MICROSECOND).remains[0]
    assert final_notice.of(result, END_OF_ASKING).remains == ()


def test_not_certified_after_year_3(registration: Registration, candidate: User) -> None:
    tell(registration, twice("2.00"), year=2029, factors=1)
    clock.jump_to(at(2029, 11, 1))
    status, page = get(candidate, "notice", make_cycle(2029).pk)
    said = words(page)
    assert (status, "You are not certified." in said, "register again with a later cohort" in said) == (200, True, True)


def test_no_notice_while_something_is_still_to_come_or_withheld(registration: Registration, candidate: User) -> None:
    tell(registration, twice("2.00"), factors=1)
    clock.jump_to(DUE)
    assert get(candidate, "notice", make_cycle(2027).pk)[0] == 404
    Result.objects.update(status="certified")
    assert get(candidate, "notice", make_cycle(2027).pk)[0] == 200
    Registration.objects.update(payment_status=Registration.Payment.DISPUTED)
    for name in ("notice", "notice-pdf"):
        assert get(candidate, name, make_cycle(2027).pk)[0] == 404


def test_the_letter_is_accessible_and_says_the_same(registration: Registration, candidate: User) -> None:
    tell(registration)
    clock.jump_to(DUE)
    status, body = get(candidate, "notice-pdf", make_cycle(2027).pk)
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(BytesIO(body)).pages).split())
    assert status == 200
    for told in (
        "Final certification notice",
        "Ada Abara",
        "BCDF2345",
        "you are a certified instructional coach",
        "3.000",
    ):
        assert told in text
    with Pdf.open(BytesIO(body)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "en"
        assert b"pdfuaid:part" in pdf.Root.Metadata.read_bytes()


def test_the_mail_speaks_of_it_only_where_there_is_one(registration: Registration) -> None:
    tell(registration)
    other = make_registration()
    make_result(other)  # somebody told already: nothing more is said to them
    message = Message.objects.get(event="results_released")
    assert "final certification notice" in message.body_text
    assert standing(registration).status == "certified"


def test_the_mail_of_a_result_on_the_way_does_not(registration: Registration) -> None:
    tell(registration, factors=1)
    message = Message.objects.get(event="results_released")
    assert "final certification notice" not in message.body_text + message.body_html
