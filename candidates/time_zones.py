"""The time zones people choose from, by the names of their cities."""

from collections import defaultdict
from zoneinfo import available_timezones

OWN_DEVICE = ("", "The one my device is set to")
UNITED_STATES = [
    ("America/New_York", "Eastern Time (New York)"),
    ("America/Chicago", "Central Time (Chicago)"),
    ("America/Denver", "Mountain Time (Denver)"),
    ("America/Phoenix", "Arizona (Phoenix)"),
    ("America/Los_Angeles", "Pacific Time (Los Angeles)"),
    ("America/Anchorage", "Alaska (Anchorage)"),
    ("Pacific/Honolulu", "Hawaii (Honolulu)"),
]
REGIONS = {"Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}

Group = tuple[str, list[tuple[str, str]]]


def choices() -> list[tuple[str, str] | Group]:
    """Choices of a form: the device's own, the United States, then every city by region."""
    regions: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for zone in sorted(available_timezones() - {name for name, _ in UNITED_STATES}):
        region, _, city = zone.partition("/")
        if region in REGIONS:
            regions[region].append((zone, city.replace("_", " ").replace("/", ", ")))
    return [OWN_DEVICE, ("United States", UNITED_STATES), *regions.items()]
