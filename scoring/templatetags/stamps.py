"""Notes with the moments they name, for templates. `films` are those one may see."""

from django import template
from django.utils.html import format_html

from scoring import timestamps
from scoring.timestamps import Stamp

register = template.Library()
register.filter("pieces", timestamps.pieces)
register.filter("stamps", timestamps.stamps)


@register.simple_tag
def moment(stamp: Stamp, at: str = "") -> str:
    """A link to a moment of a film on this page, or on the page at `at`; player.js goes there."""
    return format_html(
        '<a href="{}#film-{}" data-film="{}" data-second="{}">{}</a>',
        f"{at}?at={stamp.second}" if at else "",
        stamp.film,
        stamp.film,
        stamp.second,
        stamp.text,
    )
