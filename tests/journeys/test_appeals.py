"""Two candidates whose third year ends not certified by one factor, and who ask for it to be verified.

Ben's is raised: certified after all, the earlier report beside the new one. Cy's is confirmed. They use the pages.
"""

from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pypdf import PdfReader

from candidates.models import Registration, User
from icg_cert.mail.models import Message
from portfolios import retention
from portfolios.models import Entry, Upload
from scoring.models import Appeal, Certificate, Result, Sheet
from tests.factories import at, make_scorer
from tests.journeys import walk
from tests.journeys.walk import Cast
from tests.scoring.telling import judge

# 1.500 in factor 5, below the floor; the rest adds up.
SHORT = dict.fromkeys(range(1, 8), ("3.25",)) | {5: ("1.00", "2.00")}
FIFTH = 5


@pytest.fixture
def people(cast: Cast) -> dict[str, Registration]:
    made = {name: walk.register(name, at(2026, 11, 2, 9)) for name in ("Ben Borges", "Cy Chen")}
    for one in made.values():
        walk.pay(one, at(2026, 11, 2, 10))
    for one in made.values():
        walk.hand_in(one, 2027, range(1, 8), cast, at(2027, 5, 10, 18))
    walk.tick(at(2027, 6, 16))
    scores = {(one.user, number): values for one in made.values() for number, values in SHORT.items()}
    walk.score(2027, scores, cast, at(2027, 7, 5, 10))
    walk.release_results(2027, cast)
    for one in made.values():
        walk.hand_in(one, 2029, [FIFTH], cast, at(2029, 5, 2, 7))
    walk.tick(at(2029, 6, 16, 1))
    walk.score(2029, {(one.user, FIFTH): ("1.00", "2.00") for one in made.values()}, cast, at(2029, 7, 2, 10))
    walk.release_results(2029, cast)
    return made


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def words(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    main = BeautifulSoup(answer.content, "html.parser").find("main")
    assert main is not None
    return " ".join(main.get_text(" ").split())


def letter(client: Client, path: str) -> str:
    return " ".join(
        " ".join(page.extract_text() for page in PdfReader(BytesIO(client.get(path).content)).pages).split()
    )


def test_one_is_raised_and_certified_and_one_is_confirmed(cast: Cast, people: dict[str, Registration]) -> None:
    ben, cy = people["Ben Borges"], people["Cy Chen"]
    last = Result.objects.get(registration=ben, cycle__year=2029).cycle
    report, notice, ask = f"/results/{last.pk}/", f"/notices/{last.pk}/", f"/results/{last.pk}/factor/5/"
    clients = {one.pk: client_of(one.user) for one in (ben, cy)}
    for one in (ben, cy):
        for _ in range(2):  # somebody who has read nothing of it, for each
            make_scorer()
        mine = clients[one.pk]
        assert "Not certified" in words(mine, report)
        told = words(mine, notice)
        assert "You are not certified." in told
        assert "Until the end of 30 November 2029 you can ask" in told
        assert "You can register again with a later cohort" in told
        assert "kept until 31 October 2030" in told
        assert "You are not certified." in letter(mine, f"{notice}notice.pdf")
        assert "Have this score verified" in words(mine, ask)
        assert mine.post(ask, {"reason": "The film shows more of it."}).status_code == 302
        assert "Your score is being verified" in words(mine, ask)
        assert "is being verified. We decide by" in words(mine, "/dashboard/")
    _files_are_held(ben)

    # The portal finds readers, who see an entry like any other.
    walk.tick(at(2029, 11, 3, 9))
    read = {ben.pk: "2.75", cy.pk: "1.25"}
    for sheet in Sheet.objects.filter(status="draft").select_related("assignment__scorer", "assignment__entry"):
        judge(sheet, read[sheet.assignment.entry.registration_id], at(2029, 11, 9, 10))
    walk.tick(at(2029, 11, 20, 9))

    desk = client_of(cast.staff)
    assert "Appeals" in words(desk, "/dashboard/")
    for appeal in Appeal.objects.order_by("pk"):
        assert "your decision" in words(desk, "/appeals/")
        assert desk.post(f"/appeals/{appeal.pk}/", {"words": "Thank you for asking."}).status_code == 302
    walk.tick(at(2029, 11, 20, 9, 1))

    # Ben: (1.00 + 2.00 + 2.75) / 3 is above the floor.
    mine = clients[ben.pk]
    assert "You are certified" in words(mine, report)
    assert "Your score was raised" in words(mine, ask)
    earlier = Result.objects.exclude(superseded_at=None).get()
    version = words(mine, f"/results/versions/{earlier.pk}/")
    assert "This report was replaced on 20 November 2029" in version
    assert "1.500" in version
    certificate = Certificate.objects.get()
    assert certificate.holder_name == "Ben Borges"
    assert mine.get(f"/certificates/{certificate.code}/certificate.pdf").status_code == 200
    assert "You are certified" in words(mine, notice)
    decision = Appeal.objects.get(entry__registration=ben)
    assert "1.917" in letter(mine, f"/appeals/{decision.pk}/letter.pdf")

    # Cy: lower, so it stands.
    mine = clients[cy.pk]
    assert "Not certified" in words(mine, report)
    assert "Your score is confirmed" in words(mine, ask)
    assert "Earlier versions" not in words(mine, report)
    decision = Appeal.objects.get(entry__registration=cy)
    assert "A score is never lowered by asking." in letter(mine, f"/appeals/{decision.pk}/letter.pdf")
    assert mine.get(f"/results/versions/{earlier.pk}/").status_code == 404

    sent = ["results_released", "appeal_asked", "appeal_decided"]
    assert walk.mails(cy)[-3:] == sent
    assert [event for event in walk.mails(ben)[-4:] if event != "certified"] == sent
    for message in Message.objects.filter(event__in=sent):
        assert not any(told in message.body_text for told in ("1.5", "1.9", "raised", "confirmed", "certified,"))


def _files_are_held(ben: Registration) -> None:
    upload = Upload.objects.filter(entry=Entry.objects.get(registration=ben, cycle__year=2029)).first()
    assert upload is not None
    item = retention.due_one(upload.pk, at(2031, 1, 1))
    assert item is not None
    assert item.is_held
