"""Staff's side of the portfolio: what is asked for. What candidates hand in is only looked at, held, or withdrawn."""

from portfolios.admin import catalogue, entries, keeping, uploads

__all__ = ["catalogue", "entries", "keeping", "uploads"]
