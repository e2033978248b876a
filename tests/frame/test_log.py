"""What stands in the log: routes instead of paths, no rows, no addresses."""

import json
import logging

import pytest
from django.db import IntegrityError
from django.test import Client

from candidates.models import User
from icg_cert.log import LineFormatter
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, str]]:
    return [json.loads(LineFormatter().format(record)) for record in caplog.records]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "/quotes/0e8f8a3c-8a3f-4a53-9d62-7f0f5f3f8b11/a-token/",
            "Not Found: /quotes/<uuid:public_id>/<str:token>/",
        ),
        ("/verify/no-code/", "Not Found: /verify/<str:code>/"),
        ("/quotes/no-id/a-token/", "Not Found: an address that is none"),
        ("/ada@example.org/\N{SNOWMAN}", "Not Found: an address that is none"),
    ],
)
def test_line_of_a_failed_request_names_its_route(
    caplog: pytest.LogCaptureFixture, client: Client, path: str, message: str
) -> None:
    client.get(path)
    assert [(line["level"], line["logger"], line["message"]) for line in lines(caplog)] == [
        ("warning", "django.request", message)
    ]


def test_line_of_a_refused_row_says_which_constraint_and_not_whose(caplog: pytest.LogCaptureFixture) -> None:
    ada = make_user("Ada Abara")
    try:
        User.objects.create(email=ada.email, name="Ada again")
    except IntegrityError:
        logging.getLogger("portal").exception("Not stored: %s", ada.email)
    [line] = lines(caplog)
    assert line["message"] == "Not stored: (address)"
    assert "duplicate key value violates unique constraint" in line["traceback"]
    assert "DETAIL: (left out)" in line["traceback"]
    assert ada.email not in line["traceback"]


def test_other_lines_stay_as_they_are(caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("portal").warning("Upload %s of %d bytes at 10:30, %s", "/a/b", 7, {"state": "ready"})
    assert [line["message"] for line in lines(caplog)] == ["Upload /a/b of 7 bytes at 10:30, {'state': 'ready'}"]
