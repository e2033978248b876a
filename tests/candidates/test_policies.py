import pytest

from candidates import policies
from candidates.models import PolicyText
from icg_cert.audit.models import Event
from tests.factories import at, make_programme, make_text
from tests.threads import run_all_at_once

NOW = at(2026, 10, 1)


@pytest.mark.django_db
def test_adopt_makes_the_next_version_and_nothing_for_the_same_words() -> None:
    first = policies.adopt("attestation", "One.", by=None, at=NOW)
    assert policies.adopt("attestation", "One.", by=None, at=NOW) == first
    second = policies.adopt("attestation", "Two.", by=None, at=NOW)
    assert (first.version, second.version, Event.objects.count()) == (1, 2, 2)
    assert PolicyText.current("attestation") == second


@pytest.mark.django_db
def test_adopt_counts_each_kind_by_itself() -> None:
    make_text("no_refunds", version=4)
    assert policies.adopt("no_refunds", "No.", by=None, at=NOW).version == 5
    assert policies.adopt("consent", "Yes.", by=None, at=NOW).version == 1


@pytest.mark.django_db(transaction=True)
def test_adopt_by_two_at_once_makes_two_versions() -> None:
    make_programme()
    made = run_all_at_once(
        [lambda word=word: policies.adopt("attestation", word, by=None, at=NOW).version for word in ("One.", "Two.")]  # type: ignore[misc]
    )
    assert sorted(made) == [1, 2]
