"""A month of RSSAC047: which zones were in use when, and the two reports, of identifiers and of the whole system.

An answer is held against the versions of the zone that were first seen in use within the 48 hours before it [yhu], and
against the one before these: a zone that nobody has changed for days is in use still. A version counts as in use from
the first time that any vantage point saw its serial, at whichever identifier [yxn].
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.slo.rssac047 import (
    IDENTIFIERS,
    INTERVAL_MIN,
    Measurement,
    Result,
    availability,
    correctness,
    latency,
    needed_of,
    publication_latency,
    publication_minutes,
    rss_availability,
    rss_latency,
)

IN_USE_S: Final = 48 * 3600.0
"""[yhu]"""


@dataclass(slots=True)
class Answers:
    """How many answers of an identifier were judged, and how many were right."""

    right: int = 0
    judged: int = 0


@dataclass(frozen=True, slots=True)
class Month:
    """What is reported."""

    identifiers: Mapping[str, tuple[Result, ...]]
    system: tuple[Result, ...]
    """Empty where there is no system: of a single identifier, or where some were not measured."""


def first_seen(measurements: Sequence[Measurement]) -> dict[int, Timestamp]:
    """Give when each serial was first seen in use, to the interval."""
    found: dict[int, Timestamp] = {}
    for each in measurements:
        if each.available and each.serial is not None:
            at = Timestamp(each.interval * INTERVAL_MIN * 60.0)
            found[each.serial] = min(found.get(each.serial, at), at)
    return found


def serials_at(seen: Mapping[int, Timestamp], at: Timestamp) -> tuple[int, ...]:
    """Give the serials that an answer of this moment may be of, the last that came into use first.

    By when they came, and not by their number: a serial that somebody made up is out of use after two days, like any
    other. Moments are known to the interval: one that began while the answer was given counts.
    """
    known = [serial for serial, since in seen.items() if since <= at + INTERVAL_MIN * 60.0]
    known.sort(key=lambda serial: (seen[serial], serial), reverse=True)
    young = sum(seen[serial] > at - IN_USE_S for serial in known)
    return tuple(known[: young + 1])


def month_of(
    measurements: Sequence[Measurement], answers: Mapping[str, Answers], identifiers: int = IDENTIFIERS
) -> Month:
    """Give the reports; `answers` is by identifier, and empty where no answers were kept.

    `identifiers` is how many the system has.
    """
    by_identifier: dict[str, list[Measurement]] = defaultdict(list)
    for each in measurements:
        by_identifier[each.identifier].append(each)
    minutes = publication_minutes(measurements)
    found = {
        name: (
            *availability(rows, identifiers),
            *latency(rows),
            *_correctness(answers.get(name)),
            publication_latency(minutes.get(name, [])),
        )
        for name, rows in sorted(by_identifier.items())
    }
    if len(found) != identifiers or identifiers == 1:
        return Month(found, ())
    needed = needed_of(identifiers)
    whole = Answers(sum(each.right for each in answers.values()), sum(each.judged for each in answers.values()))
    system = (
        *rss_availability(measurements, needed),
        *rss_latency(measurements, needed),
        *_correctness(whole if answers else None),
        publication_latency([each for rows in minutes.values() for each in rows], whole_system=True),
    )
    return Month(found, system)


def _correctness(answers: Answers | None) -> tuple[Result, ...]:
    return () if answers is None else (correctness(answers.right, answers.judged),)
