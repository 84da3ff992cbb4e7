"""A prediction as plain values, for JSON and YAML."""

from dataclasses import asdict
from typing import Any

from anycastle.twin.cascade import Cascade
from anycastle.twin.convergence import Overlay
from anycastle.twin.load import Spread
from anycastle.twin.predicted_shift import PoPShift, PredictedShift


def plain(shift: PredictedShift, arrived: Overlay | None = None) -> dict[str, Any]:
    """Give a prediction, and how long it takes where that is known, as plain values, for JSON."""
    return {
        "service": shift.service,
        "prefix": str(shift.prefix),
        "graph": {"name": shift.graph.name, "date": shift.graph.date},
        "weights": {
            "source": shift.weights.source,
            "unplaced": _number(shift.weights.unplaced),
            "absent": [{"asn": asn, "share": _number(share)} for asn, share in shift.weights.absent],
        },
        "members": shift.members,
        "pops": [_plain_pop(pop) for pop in shift.pops],
        "no_route": {"now": _spread(shift.no_route_now), "after": _spread(shift.no_route)},
        "moved": _spread(shift.moved),
        "moved_though_kept": _spread(shift.moved_though_kept),
        "ases_moved": _spread(shift.ases_moved),
        "ases_moved_though_kept": _spread(shift.ases_moved_though_kept),
        "flows": [{"from": f.source or None, "to": f.target or None, "share": _number(f.share)} for f in shift.flows],
        "doubt": _number(shift.doubt),
        "provenance": {name: _number(share) for name, share in shift.provenance.items()},
        "corrected_by_rules": shift.corrected,
        "offered_load": shift.offered_load,
        "cascade": None if shift.cascade is None else plain_cascade(shift.cascade),
        "convergence": None if arrived is None else asdict(arrived),
        "remarks": [{"kind": r.kind.value, "subject": r.subject, "text": r.text} for r in shift.remarks],
    }


def _plain_pop(pop: PoPShift) -> dict[str, Any]:
    return {
        "name": pop.name,
        "city": pop.city,
        "location": {"latitude": pop.location.latitude, "longitude": pop.location.longitude},
        "now": _spread(pop.now),
        "announces": pop.announces,
        "after": _spread(pop.after),
        "change": _spread(pop.change),
        "capacity": pop.capacity,
        "load_now": _spread(pop.load_now),
        "load": _spread(pop.load),
        "headroom": None if pop.headroom is None else _number(pop.headroom),
        "overload_chance": _number(pop.overload_chance),
        "upstreams": [
            {
                "name": each.group,
                "now": _spread(each.now),
                "after": _spread(each.after),
                "load": _spread(each.load),
                "capacity": each.capacity,
                "overload_chance": _number(each.overload_chance),
            }
            for each in pop.upstreams
        ],
    }


def plain_cascade(found: Cascade) -> list[dict[str, Any]]:
    """Give a cascade's steps as plain values."""
    return [
        {
            "announcing": list(step.announcing),
            "load": {pop: _number(load) for pop, load in zip(found.pops, step.load, strict=True)},
            "lost": {pop: _number(lost) for pop, lost in zip(found.pops, step.lost, strict=True) if lost},
            "no_route": _number(step.no_route),
            "served": _number(step.served),
            "act": step.act.value,
            "pop": step.pop or None,
            "reason": step.reason,
        }
        for step in found.steps
    ]


def _spread(value: Spread | None) -> dict[str, float] | None:
    if value is None:
        return None
    return {name: _number(getattr(value, name)) for name in ("mean", "p5", "p50", "p95")}


def _number(value: float) -> float:
    """Give shares to six digits after the point, loads in whole units."""
    return round(value, 6) if abs(value) < 1e5 else float(round(value))
