"""One candidate's open draft in the window of 2027, with a slot for a document and one for a video."""

from datetime import datetime

import pytest

from candidates.models import PolicyText, User
from portfolios.models import Entry, Requirement
from tests.factories import at, make_entry, make_factor, make_registration, make_requirement, make_text

NOON = at(2027, 5, 10, 12)


@pytest.fixture
def noon() -> datetime:
    return NOON


@pytest.fixture
def document(db: None) -> Requirement:
    return make_requirement(key="commentary")


@pytest.fixture
def video(db: None) -> Requirement:
    return make_requirement(key="conversation", kind=Requirement.Kind.VIDEO, max_minutes=1)


@pytest.fixture
def entry(candidate: User, document: Requirement, video: Requirement) -> Entry:
    make_text(PolicyText.Kind.CONSENT, body="Everyone seen in this video agreed.")
    return make_entry(make_registration(candidate), make_factor())
