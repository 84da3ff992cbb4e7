"""When a window began, and when it ends."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from anycastle.base.ports import Timestamp
from anycastle.model.objective import Period, Window


class Span(NamedTuple):
    """The window at a moment."""

    start: Timestamp
    end: Timestamp
    """Of a rolling window: now."""


def span_at(window: Window, now: Timestamp) -> Span:
    """Give the window that `now` lies in, by UTC. What happens at its very start belongs to the window before."""
    if window.period is Period.ROLLING:
        return Span(Timestamp(now - window.length_s), now)
    moment = datetime.fromtimestamp(now, UTC)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if window.period is Period.WEEK:
        start = day - timedelta(days=day.weekday())
        end = start + timedelta(days=7)
    else:
        months = 1 if window.period is Period.MONTH else 3
        start = day.replace(day=1, month=(day.month - 1) // months * months + 1)
        month = start.month - 1 + months
        end = start.replace(year=start.year + month // 12, month=month % 12 + 1)
    return Span(Timestamp(start.timestamp()), Timestamp(end.timestamp()))
