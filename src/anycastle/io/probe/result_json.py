"""A probe's result as one line of JSON: for files, for a collector, and for `anycastle probe run -o json`."""

from typing import Any

import msgspec

from anycastle.probe.result import ProbeResult


def plain(result: ProbeResult) -> dict[str, Any]:
    """Give a result as plain values. `phases` is in their order; what is not known is null."""
    fields: dict[str, Any] = msgspec.to_builtins(_fields(result))
    return fields


def _fields(result: ProbeResult) -> dict[str, Any]:
    """Give its fields; what was seen as the dataclass that it is, which msgspec writes faster than we could."""
    failure = result.failure
    vantage = result.vantage
    return {
        "at": round(result.at, 6),
        "vantage_point": vantage.name,
        "asn": None if vantage.asn is None else int(vantage.asn),
        "country": vantage.country or None,
        "location": [vantage.location.latitude, vantage.location.longitude] if vantage.location else None,
        "target": result.target,
        "kind": result.kind,
        "asked": result.asked or None,
        "address": None if result.address is None else str(result.address),
        "local_port": result.local_port,
        "late_ms": round(result.late_ms, 3),
        "phases": {phase.name: round(phase.duration_ms, 3) for phase in result.phases},
        "duration_ms": round(result.duration_ms, 3),
        "failure": failure and {"kind": failure.kind.value, "phase": failure.phase, "words": failure.words},
        "server": result.server or None,
        "pop": result.pop or None,
        "seen": result.seen,
    }


_encode = msgspec.json.Encoder().encode


def line(result: ProbeResult, identity: str) -> bytes:
    """Give one line, by `identity` told apart from all others: a collector that was given it twice keeps one."""
    return _encode({"id": identity, **_fields(result)}) + b"\n"
