"""What certified coaches let others see: their name where a code is verified, themselves in the directory."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail
from icg_cert.lib.refusal import Refused
from scoring.models import Certificate, HolderChoices


@dataclass(frozen=True, slots=True)
class Choices:
    """The fields of `HolderChoices`, and what holds as long as nobody chose: the code shows the name, nothing else."""

    shows_name: bool = True
    is_listed: bool = False
    state: str = ""
    shows_district: bool = False
    names_email: bool = False


NAMES = [field.name for field in fields(Choices)]


def choices_of(user: User) -> Choices:
    """No query when the user was loaded with `holder_choices`."""
    row = getattr(user, "holder_choices", None)
    return Choices(**{name: getattr(row, name) for name in NAMES}) if row else Choices()


@transaction.atomic
def choose(user_id: int, wanted: Choices, *, by: User, at: datetime) -> Choices:
    """From now on these hold. A repeat changes nothing. Refused: `no-certificate`, `name-hidden`."""
    user = User.objects.select_for_update().get(pk=user_id)
    if not Certificate.objects.issued(at).filter(registration__user=user).exists():
        raise Refused("no-certificate", "You can choose what others see as soon as you have a certificate.")
    if wanted.is_listed and not wanted.shows_name:
        message = "The directory shows your name. Let your name be seen, or leave the directory."
        raise Refused("name-hidden", message, fields={"is_listed": message})
    before = choices_of(user)
    if wanted != before:
        row, _ = HolderChoices.objects.update_or_create(user=user, defaults={**asdict(wanted), "chosen_at": at})
        trail.record("privacy.choose", row, by=by, at=at, before=asdict(before), after=asdict(wanted))
    return wanted
