"""One candidate, in Chromium, by the rehearsal clock: from the public page to a certificate that anyone can verify.

Ada's third entry is made by hand, file by file; her six others are handed in, and the sheets beyond each scorer's first
are filled, by the same verbs the pages call, so that the walk ends within minutes.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from playwright.sync_api import expect

from candidates.models import Cycle, Registration, User
from icg_cert.lib import clock
from portfolios import processing
from portfolios.models import Entry
from scoring.models import Certificate, Sheet
from tests.browser.conftest import PASSWORD, Visitor
from tests.doubles.stripe import StripeDouble
from tests.factories import at
from tests.journeys import walk
from tests.journeys.walk import Cast
from tests.portfolios.files import film, word

pytestmark = [pytest.mark.requires("chromium"), pytest.mark.django_db(transaction=True)]
CHECKED = {"document": "Ready", "video": "Received and checked"}  # scorers can watch it a moment later


def sign_up(ada: Visitor) -> None:
    page = ada.go("/")
    ada.look("landing")
    page.get_by_role("main").get_by_role("link", name=re.compile("Register")).first.click()
    ada.look("sign in or sign up")
    page.goto("/accounts/signup/?next=/register/")
    page.get_by_label("Full name").fill("Ada Abara")
    page.get_by_label("E-mail").first.fill("ada@example.org")
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Create").click()
    ada.look("check your mail")
    link = re.search(r"https?://[^/]+(/accounts/confirm-email/\S+)", str(mail.outbox[-1].body))
    assert link is not None
    page.goto(link[1])
    ada.look("confirm")
    page.get_by_role("button", name="Confirm").click()


def register(ada: Visitor) -> None:
    page = ada.go("/register/")
    ada.look("register")
    page.get_by_role("button", name=re.compile("^Register")).click()
    expect(page.locator(".error-summary")).to_be_focused()
    ada.look("register with errors")
    for label, text in {
        "Employer": "Lakeside School District",
        "School district, diocese or network": "Lakeside School District",
        "Your role": "Instructional coach",
        "Coaching": "28",
        "Administrative tasks": "12",
        "Your supervisor's name": "Sam Supervisor",
        "Your supervisor's e-mail": "sam@example.org",
        "Your signature": "Ada Abara",
    }.items():
        page.get_by_label(label).first.fill(text)
    page.get_by_label("I am employed full-time").check()
    ada.look("register filled")
    page.get_by_role("button", name=re.compile("^Register")).click()


def pay(ada: Visitor) -> None:
    page = ada.page
    registration = Registration.objects.get()
    ada.go(f"/registrations/{registration.pk}/")
    ada.look("registered")
    ada.go(f"/pay/{registration.pk}/")
    ada.look("pay")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_label("Credit or debit card").check()
    page.get_by_role("button", name="Continue").click()
    ada.look("card page")
    page.get_by_role("button", name="Pay with a card that is declined").click()
    ada.look("card declined")
    page.get_by_role("button", name="Cancel and go back").click()
    ada.look("not paid yet")
    page.get_by_label("I have read this and accept it").check()
    page.get_by_label("Credit or debit card").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name=re.compile("^Pay \\d")).click()
    page.wait_for_url(f"**/pay/{registration.pk}/")
    ada.look("paid")
    ada.go(f"/pay/{registration.pk}/receipt/")
    ada.look("receipt")
    registration.refresh_from_db()
    assert registration.payment_status == "paid"


def hand_in_data(ada: Visitor, files: dict[str, Path]) -> None:
    """Factor 3: a commentary as DOCX and a film as MP4, by hand."""
    page = ada.go("/entries/")
    ada.look("entries")
    ada.go("/entries/start/3/")
    ada.look("start an entry")
    page.get_by_role("button", name=re.compile("Start")).click()
    ada.look("entry empty")
    for slot, name in enumerate(("document", "video")):
        section = page.locator("[data-slot-section]").nth(slot)
        section.locator("input[type=file]").set_input_files(files[name])
        if name == "video":
            section.locator("input[name=consent]").check()
        section.get_by_role("button", name=re.compile("Upload")).click()
        expect(section.locator(".upload-row .state")).to_have_text(CHECKED[name], timeout=30_000)
    assert processing.process_next(now=clock.now)
    name_releases(ada)
    ada.look("entry complete")
    page.get_by_role("link", name="Check and submit").or_(page.get_by_role("button", name="Check and submit")).click()
    ada.look("submit entry")
    page.get_by_role("button", name=re.compile("Submit")).click()
    ada.look("submitted")
    entry = Entry.objects.get(factor__number=3)
    ada.go(f"/receipts/{entry.receipt_code}/")
    ada.look("entry receipt")
    assert entry.status == "submitted"


def name_releases(ada: Visitor) -> None:
    ada.page.reload()
    ada.page.get_by_role("link", name=re.compile("Name the signed releases")).click()
    ada.look("consent")
    ada.page.get_by_label("The signed releases you hold").fill("Teacher release, 3 May")
    ada.page.get_by_role("button", name="Save").click()


def assign(staff: Visitor) -> None:
    page = staff.go("/scoring/board/")
    staff.look("board before")
    page.get_by_role("link", name="See who would read what").click()
    staff.look("board preview")
    page.get_by_role("button", name=re.compile("Give out")).click()
    staff.look("board assigned")


def judge(scorer: Visitor, user: User) -> None:
    """One sheet by hand: every criterion at 3.00, a comment, finalised."""
    scorer.sign_in(user)
    page = scorer.go("/scoring/")
    scorer.look("queue")
    sheet = Sheet.objects.filter(assignment__scorer=user, assignment__entry__factor__number=3).get()
    scorer.go(f"/scoring/sheets/{sheet.pk}/")
    scorer.look("sheet empty")
    assert "Ada" not in page.content()
    video = page.locator("video").first
    video.evaluate(
        """film => new Promise(done => {
             if (film.readyState) return done();
             film.addEventListener("loadedmetadata", () => done());
             film.preload = "auto";
           })"""
    )
    assert (
        video.evaluate(
            "film => new Promise(done => { film.onseeked = () => done(film.currentTime); film.currentTime = 4 })"
        )
        == 4
    )
    for shade in page.get_by_label(re.compile(r"^3\.00")).all():
        shade.check(force=True)
    page.get_by_label(re.compile("[Cc]omment")).last.fill("Thank you for your careful work.")
    expect(page.locator("[data-sheet-status]")).to_contain_text("Saved", timeout=10_000)
    scorer.look("sheet filled")
    page.get_by_role("button", name="Check and finalise").click()
    scorer.look("finalise")
    page.get_by_role("button", name=re.compile("[Ff]inal")).click()
    scorer.look("queue after")
    sheet.refresh_from_db()
    assert sheet.status == "final"


def release(staff: Visitor, second: Visitor, cycle: Cycle) -> None:
    page = staff.go(f"/release/{cycle.pk}/")
    staff.look("release unchecked")
    page.get_by_role("button", name="Check every candidate").click()
    staff.look("release ready")
    staff.go(f"/release/{cycle.pk}/prepare/")
    staff.look("prepare")
    page.get_by_role("button", name="Prepare this release").click()
    staff.look("prepared")
    page = second.go(f"/release/{cycle.pk}/approve/")
    second.look("approve")
    page.get_by_role("button", name=re.compile("Approve")).click()
    second.look("approved")


def test_a_candidate_from_the_public_page_to_a_certificate(
    arrive: Any, office: dict[str, User], stripe: StripeDouble, tmp_path: Path
) -> None:
    files = {"document": tmp_path / "Ada's commentary.docx", "video": tmp_path / "IMG_0042.mp4"}
    files["document"].write_bytes(word("What we gathered.", "What we changed."))
    files["video"].write_bytes(film(seconds=8))
    ada = arrive("ada")
    ada.go("/")
    ada.jump("Cohort 2026: registration opens")
    sign_up(ada)
    register(ada)
    pay(ada)
    ada.go("/dashboard/")
    ada.look("dashboard paid")

    ada.jump("Entries 2027: the window opens")
    hand_in_data(ada, files)
    made = Registration.objects.get()
    cast = Cast(office["staff"], office["second staff"], office["finance"], [], office["lead"])
    walk.hand_in(made, 2027, [1, 2, 4, 5, 6, 7], cast, at(2027, 5, 3))
    ada.go("/entries/")
    ada.look("entries all submitted")
    ada.jump("Entries 2027: after closing")
    ada.go("/dashboard/")
    ada.look("dashboard waiting")
    assert set(Entry.objects.values_list("status", flat=True)) == {"locked"}

    staff, second = arrive("staff"), arrive("second-staff")
    staff.sign_in(office["staff"])
    staff.look("dashboard")
    assign(staff)
    first = Sheet.objects.get(assignment__entry__factor__number=3, assignment__role="first").assignment.scorer
    judge(arrive("scorer"), first)
    walk.score(2027, {(made.user, number): ("3.00",) for number in range(1, 8)}, cast, at(2027, 7, 1))
    staff.go("/scoring/board/")
    staff.look("board done")
    second.sign_in(office["second staff"])
    cycle = Cycle.objects.get(year=2027)
    release(staff, second, cycle)

    assert ada.page.request.get(f"/results/{cycle.pk}/").status == 404
    ada.go("/dashboard/")
    ada.jump("Entries 2027: release day")
    ada.go("/results/")
    ada.look("results")
    page = ada.go(f"/results/{cycle.pk}/")
    ada.look("report")
    expect(page.get_by_role("main")).to_contain_text("you are a certified instructional coach")
    code = Certificate.objects.get(holder_name="Ada Abara").code
    paper = page.request.get(f"/certificates/{code}/certificate.pdf")
    assert (paper.status, paper.body()[:5]) == (200, b"%PDF-")

    anyone = arrive("anyone")
    page = anyone.go(f"/verify/{code}/")
    anyone.look("verified")
    expect(page.get_by_role("main")).to_contain_text("Ada Abara")
    anyone.go("/verify/")
    anyone.look("verify form")
