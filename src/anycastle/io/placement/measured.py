"""Measurements as CSV: round trips by AS and PoP, those of a pilot, and times of convergence."""

import json
from collections.abc import Collection
from math import inf, isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np

from anycastle.io.as_weights import parse_weight
from anycastle.io.catchments.text import read_text
from anycastle.io.config.findings import Place, did_you_mean
from anycastle.io.rows import Errors, Field, parse_number, parse_words, read_rows
from anycastle.model.asn import parse_asn
from anycastle.twin.convergence import Observed, Times
from anycastle.twin.graph import ASGraph
from anycastle.twin.pilot import Measurements

RTT_MS_MAX: Final = 60_000
"""A minute; more is no round trip, or another unit."""
_RTT: Final = parse_number(1e-3, RTT_MS_MAX, "round trip in milliseconds")
_SECONDS: Final = parse_number(0, 86_400, "number of seconds")

RTT_FIELDS: Final = (
    Field("asn", parse_asn, also=("as",)), Field("pop", parse_words), Field("rtt_ms", _RTT, also=("rtt",)),
)  # fmt: skip
PILOT_FIELDS: Final = (
    Field("asn", lambda text: f"AS{parse_asn(text)}", "", also=("as",)),
    Field("region", parse_words, ""),
    Field("rtt_ms", _RTT, also=("rtt",)),
    Field("weight", parse_weight, 1.0, also=("users", "samples", "count")),
)
CONVERGENCE_FIELDS: Final = (
    Field("action", parse_words), Field("converged_s", _SECONDS, inf), Field("unreachable_s", _SECONDS, 0.0),
)  # fmt: skip


def read_round_trips(
    path: Path, graph: ASGraph, pops: tuple[str, ...], left_out: Collection[str] = ()
) -> tuple[dict[tuple[int, int], list[float]], int]:
    """Read `asn,pop,rtt_ms`: milliseconds by (node, PoP), and how many rows were of ASes that the graph does not have.

    Rows of sites that were left out are passed over. Raises `ParseError` with all that is wrong, other names included.
    """
    rows, errors = read_rows(path, RTT_FIELDS), Errors()
    found: dict[tuple[int, int], list[float]] = {}
    nodes = graph.nodes([row.value["asn"] for row in rows]).tolist()
    for row, node in zip(rows, nodes, strict=True):
        name = row.value["pop"]
        if name in left_out:
            continue
        if name not in pops:
            errors.add(row.place, "pop", f"no PoP or candidate {name!r}{did_you_mean(name, pops)}")
        elif node >= 0:
            found.setdefault((node, pops.index(name)), []).append(row.value["rtt_ms"])
    errors.raise_if_any()
    return found, nodes.count(-1)


def read_pilot(path: Path) -> Measurements:
    """Read one side of a pilot: `asn` or `region` or both, `rtt_ms`, and `weight` if rows are not alike."""
    rows, errors = read_rows(path, PILOT_FIELDS), Errors()
    for row in rows:
        if not (row.value["asn"] or row.value["region"]):
            errors.add(row.place, "", "an asn or a region is needed, to tell whose round trip it is")
    if not errors.found and not any(row.value["weight"] for row in rows):
        errors.add(Place(str(path)), "weight", "no row has a weight above 0")
    errors.raise_if_any()
    return Measurements(
        tuple(row.value["asn"] or row.value["region"] for row in rows),
        tuple(row.value["region"] for row in rows),
        np.array([row.value["rtt_ms"] for row in rows], np.float64),
        np.array([row.value["weight"] for row in rows], np.float64),
    )


def read_convergence(path: Path) -> tuple[Observed, ...]:
    """Read measured times of convergence.

    A CSV has a row an observer and change: `action`, `converged_s` (empty: it had not converged when one stopped
    looking), `unreachable_s`. A file .ndjson or .jsonl holds events as `anycastle events -o ndjson` prints them; those
    of the kind `convergence_measured` count. Raises `ParseError` with all that is wrong.
    """
    if path.suffix in (".ndjson", ".jsonl"):
        return _of_events(read_text(path), str(path))
    by_action: dict[str, list[dict[str, float]]] = {}
    for row in read_rows(path, CONVERGENCE_FIELDS):
        by_action.setdefault(row.value["action"], []).append(row.value)
    return tuple(
        Observed(
            action,
            Times.of_samples([each["converged_s"] for each in rows]),
            Times.of_samples([each["unreachable_s"] for each in rows]),
            float(len(rows)),
        )
        for action, rows in sorted(by_action.items())
    )


def _of_events(text: str, file: str) -> tuple[Observed, ...]:
    found, errors = list[Observed](), Errors()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
            if isinstance(event, dict) and event.get("kind") == "convergence_measured":
                found += _observed(event)
        except json.JSONDecodeError as error:
            errors.add(Place(file, number, error.colno), "", f"no JSON: {error.msg}")
        except (KeyError, TypeError, ValueError) as error:
            errors.add(Place(file, number), "", f"no event of this version: {error}")
    if not found and not errors.found:
        errors.add(Place(file), "", "no event `convergence_measured` with a time in it")
    errors.raise_if_any()
    return tuple(found)


def _observed(event: dict[str, Any]) -> list[Observed]:
    """Give an event's percentiles; nothing where no peer reacted, or none converged."""
    told = [(level, event[f"converged_s_p{round(100 * level)}"]) for level in (0.5, 0.9, 0.95)]
    known = [(level, float(seconds)) for level, seconds in told if seconds is not None]
    if not known or int(event["peers"]) < 1 or not all(isfinite(seconds) and seconds >= 0 for _, seconds in known):
        return []
    levels, seconds = zip(*known, strict=True)
    dark = event["unreachable_s_p95"]
    unreachable = Times((0.95,), (float(dark),)) if dark else Times((1.0,), (0.0,))
    return [Observed(str(event["action"]), Times(levels, seconds), unreachable, float(event["peers"]))]
