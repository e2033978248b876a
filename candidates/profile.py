"""What people say about themselves: the name on their certificate, and the zone in which they read dates."""

from datetime import datetime

from django.db import transaction

from candidates.models import User
from icg_cert.audit import trail


@transaction.atomic
def change(user_id: int, *, name: str, time_zone: str, by: User, at: datetime) -> User:
    """Write a person's name and zone ("" means their device's own); writing what is there changes nothing."""
    user = User.objects.select_for_update().get(pk=user_id)
    before = {"name": user.name, "time_zone": user.time_zone}
    after = {"name": name, "time_zone": time_zone}
    if before != after:
        user.name, user.time_zone = name, time_zone
        user.save(update_fields=["name", "time_zone"])
        trail.record("profile.change", user, by=by, at=at, before=before, after=after)
    return user
