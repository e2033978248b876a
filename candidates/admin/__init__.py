"""The office's side: people, the calendar and its texts, and registrations to decide about."""

from candidates.admin import calendar, people, registrations

__all__ = ["calendar", "people", "registrations"]
