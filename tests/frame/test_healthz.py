import pytest
from django.test import Client


@pytest.mark.django_db
def test_healthz_answers_without_signing_in(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok")
