"""What probers delivered and the twin foretold, as documents of a controller's store.

A document for each vantage point and target holds its course (`probe.course`), so that a batch of results rewrites as
many documents as its prober has targets. Whoever reads takes all of them.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.probe.result_lines import fields_of, sighting_of
from anycastle.io.store.port import Once, Store
from anycastle.probe.course import HOPS_MAX, Course

OBSERVED: Final = "observed/"
PREDICTED: Final = "predicted/"
COURSES_MAX: Final = 20_000
"""Vantage points with a target each: RIPE Atlas has some 13,000 probes."""

TEXT_MAX: Final = 200
"""Characters of a name."""


class Seen(msgspec.Struct):
    """A vantage point, a target, and what was seen of it."""

    vantage_point: str
    target: str
    """Its address."""
    asn: int | None
    country: str
    location: tuple[float, float] | None
    course: Course


class Foretold(msgspec.Struct):
    """Where the twin says that each AS lands."""

    service: str
    at: float
    who: str
    source: str
    """By which graph and model, for people."""
    pop_of: dict[int, str]


@dataclass(slots=True)
class Taken:
    """What became of lines."""

    results: int = 0
    repeated: int = 0
    """Known already, or older than what is known."""
    passed_over: int = 0
    """Of probes that could not ask, or that tell nothing of who answered."""
    garbage: list[int] = field(default_factory=list)
    """Numbers of lines that are no results."""


class Observed:
    """Keeps it. Every method raises `WorldError`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._turn = asyncio.Lock()
        self._keys: set[str] | None = None

    async def take(self, octets: bytes, term: int) -> Taken:
        """Take lines of results; they are on the disk when it returns. Raises `Superseded`, `MisuseError`."""
        taken = Taken()
        rows = list(_rows(octets, taken))
        async with self._turn:
            if self._keys is None:
                self._keys = set(await self._store.documents(OBSERVED))
            changed: dict[str, Seen] = {}
            for value in rows:
                key = _key(value)
                if key not in changed:
                    changed[key] = await self._known(key) or _new(value)
                if _see(changed[key], value):
                    taken.results += 1
                else:
                    taken.repeated += 1
            if len(self._keys | changed.keys()) > COURSES_MAX:
                raise MisuseError(f"more than {COURSES_MAX:,} vantage points and targets")
            documents: Mapping[str, bytes | None] = {key: msgspec.json.encode(seen) for key, seen in changed.items()}
            if documents:
                await self._store.commit(term, documents, ())
                self._keys |= changed.keys()
        return taken

    async def _known(self, key: str) -> Seen | None:
        assert self._keys is not None
        if key not in self._keys:
            return None
        return msgspec.json.decode((await self._store.documents(key))[key], type=Seen)

    async def all(self) -> list[Seen]:
        """Give all that was seen, by target and vantage point."""
        documents = await self._store.documents(OBSERVED)
        found = await asyncio.to_thread(lambda: [msgspec.json.decode(each, type=Seen) for each in documents.values()])
        return sorted(found, key=lambda each: (each.target, each.vantage_point))

    async def foretell(self, foretold: Foretold, term: int, once: Once) -> None:
        """Keep a prediction, in the place of the one before. Raises `Superseded`, `Repeated`."""
        await self._store.commit(term, {PREDICTED + foretold.service: msgspec.json.encode(foretold)}, (), once)

    async def foretold(self) -> dict[str, Foretold]:
        """Give service -> what was foretold of it."""
        documents = await self._store.documents(PREDICTED)
        found = [msgspec.json.decode(each, type=Foretold) for each in documents.values()]
        return {each.service: each for each in found}


def _rows(octets: bytes, taken: Taken) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(octets.decode(errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        value = fields_of(line)
        if value is None or len(value["vantage_point"]) > TEXT_MAX:
            taken.garbage.append(number)
        elif _tells(value):
            yield value
        else:
            taken.passed_over += 1


def _tells(value: dict[str, Any]) -> bool:
    """Tell whether a result says which PoP answered, that none did, or by which way."""
    if value.get("kind") == "traceroute":
        return isinstance(value.get("address"), str) and isinstance(value.get("seen"), dict)
    sighting = sighting_of(value, None)
    return sighting is not None and bool(sighting.pop or sighting.error)


def _key(value: dict[str, Any]) -> str:
    return OBSERVED + sha256(f"{value['address']} {value['vantage_point']}".encode()).hexdigest()[:32]


def _new(value: dict[str, Any]) -> Seen:
    sighting = sighting_of(value, None)
    assert sighting is not None, "it tells something"
    vantage = sighting.vantage
    place = None if vantage.location is None else (vantage.location.latitude, vantage.location.longitude)
    asn = None if vantage.asn is None else int(vantage.asn)
    return Seen(vantage.name, sighting.target[:TEXT_MAX], asn, vantage.country[:2], place, Course())


def _see(seen: Seen, value: dict[str, Any]) -> bool:
    if value.get("kind") == "traceroute":
        return _trace(seen, value)
    sighting = sighting_of(value, None)
    assert sighting is not None, "it tells something"
    return seen.course.see(sighting)


def _trace(seen: Seen, value: dict[str, Any]) -> bool:
    told = value["seen"]
    hops = [each for each in told.get("hops") or () if isinstance(each, dict)][:HOPS_MAX]
    addresses = tuple(str((each.get("addresses") or [""])[0])[:TEXT_MAX] for each in hops)
    rtts_ms = tuple(_least(each.get("rtts_ms") or ()) for each in hops)
    at = Timestamp(float(value["at"]))
    return seen.course.trace(at, addresses, rtts_ms, reached=told.get("reached") is True)


def _least(rtts_ms: Iterable[Any]) -> float | None:
    return min((float(each) for each in rtts_ms if isinstance(each, int | float)), default=None)
