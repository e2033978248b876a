"""What the programme asks for, as pages show it. Kept in memory; see candidates/edition.py for what that means."""

from candidates import edition
from portfolios.models import Factor


@edition.kept
def factors() -> tuple[Factor, ...]:
    """All of them in order, with their requirements."""
    return tuple(Factor.objects.prefetch_related("requirements"))
