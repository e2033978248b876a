"""What candidates say beforehand about their third year."""

from django.db import models

from candidates.models import Cycle, Registration
from portfolios.models import Factor


class RetakeWish(models.Model):
    """That a candidate means to retake a factor in a cycle. It binds nobody; readers are planned by it."""

    registration = models.ForeignKey(Registration, on_delete=models.PROTECT, related_name="retake_wishes")
    cycle = models.ForeignKey(Cycle, on_delete=models.PROTECT, related_name="+")
    factor = models.ForeignKey(Factor, on_delete=models.PROTECT, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        ordering = ["factor"]
        constraints = [models.UniqueConstraint(fields=["registration", "cycle", "factor"], name="retake_wish_once")]

    def __str__(self) -> str:
        return f"Registration {self.registration_id} means to retake factor {self.factor_id} in {self.cycle_id}"
