"""Spans of time in words, as a person on call reads them."""

from typing import Final

_UNITS: Final = ((86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def span_in_words(seconds: float) -> str:
    """Give the two largest units that matter: `1 day 6 hours`, `25 minutes`, `less than a second`."""
    whole = int(seconds)
    parts = []
    for size, name in _UNITS:
        number, whole = divmod(whole, size)
        if number:
            parts.append(f"{number} {name}{'' if number == 1 else 's'}")
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "less than a second"


def span_short(seconds: float) -> str:
    """Give an exact span as Prometheus writes it: `5m`, `1h`, `3d`."""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % size == 0 and seconds >= size:
            return f"{seconds // size:g}{unit}"
    return f"{seconds:g}s"
