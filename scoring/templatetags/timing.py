"""Minutes as people say them."""

from django import template

register = template.Library()

QUARTERS = ("", "¼", "½", "¾")


@register.filter
def about(minutes: int) -> str:
    """To five minutes below an hour ("5 minutes" at least), to quarters of an hour above: "1½ hours"."""
    if minutes < 58:
        return f"{max(5, 5 * ((minutes + 2) // 5))} minutes"
    hours, quarter = divmod((minutes + 7) // 15, 4)
    return f"{hours}{QUARTERS[quarter]} hour{'' if (hours, quarter) == (1, 0) else 's'}"
