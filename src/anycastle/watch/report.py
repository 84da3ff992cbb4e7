"""What is known of one prefix, as plain values: the present, and the history."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.prefix import Prefix
from anycastle.watch.detectors.flap import flapping_peers
from anycastle.watch.detectors.policy import verdicts
from anycastle.watch.engine import WatchEngine
from anycastle.watch.fact import Peer
from anycastle.watch.intent import WatchedPrefix
from anycastle.watch.path import origins_of
from anycastle.watch.toggle_record import PREFIXES_MAX
from anycastle.watch.toggle_report import toggles_told
from anycastle.watch.view import PeerView, RouteState, Visibility

Plain = dict[str, Any]


def shown(engine: WatchEngine, prefix: Prefix) -> Plain:
    """Give who holds a prefix and how, what is found about it, and what upstreams do of what they were told."""
    survey = engine.views.survey(prefix, engine.now)
    visibility = survey.visibility
    watched = engine.table.get(prefix)
    return {
        "prefix": str(prefix),
        "watched": watched is not None,
        "at": engine.now,
        "visibility": {
            "share": round(visibility.share, 4),
            "able": visibility.able,
            "missing": [int(asn) for asn in visibility.missing],
            "by_collector": _shares(survey.by_collector),
            "by_region": _shares(survey.by_region),
        },
        "origins": _counted(origin for _, state in survey.holders for origin in state.origins),
        "neighbours": _counted(state.hops[-2] for _, state in survey.holders if len(state.hops) > 1),
        "routes": [_route(view, state) for view, state in survey.holders],
        "flapping": [{"peer": peer, "changes": count} for peer, count in flapping_peers(survey.states, engine.now)],
        "findings": list(_findings(engine, prefix)),
        "policy": [] if watched is None else _policy(engine, watched),
        "related": [str(other) for other in sorted(related(engine, prefix))],
    }


def toggles(engine: WatchEngine, prefix: Prefix, *, brief: bool = False) -> Plain:
    """Give what our changes of a prefix came to since the watch began. Raises `MisuseError` where nobody follows it."""
    followed = engine.toggles.of(prefix)
    if followed is None:
        text = f"{prefix} is none of the fleet's first {PREFIXES_MAX} announced prefixes: its toggles are not followed"
        raise MisuseError(text)
    return toggles_told(prefix, engine.toggles.settle_s, followed.outcomes, followed.left_out, brief=brief)


def _shares(seen: Mapping[str, Visibility]) -> Plain:
    return {name: {"share": round(each.share, 4), "able": each.able} for name, each in sorted(seen.items())}


def related(engine: WatchEngine, prefix: Prefix) -> set[Prefix]:
    """Give the more-specific and covering prefixes that some peer holds."""
    return {
        other
        for view in engine.views.peers.values()
        for other, state in view.routes.items()
        if other != prefix and other.overlaps(prefix) and view.holds(state)
    }


def _counted(values: Iterable[int]) -> Plain:
    counts: dict[int, int] = {}
    for value in values:
        counts[value] = counts.get(value, 0) + 1
    return {f"AS{value}": count for value, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))}


def _route(view: PeerView, state: RouteState) -> Plain:
    return {
        "collector": view.peer.collector,
        "asn": int(view.peer.asn),
        "peer": view.peer.address,
        "path": str(state.path),
        "communities": sorted(map(str, state.communities)),
        "first": state.first,
        "changed": state.changed,
        "changes": state.changes,
        "own": view.own,
    }


def _findings(engine: WatchEngine, prefix: Prefix) -> Iterator[Plain]:
    for kind, subject, opened_at, conditions in engine.book.open_findings():
        for condition in conditions:
            if condition.prefix.overlaps(prefix):
                yield {
                    "kind": kind,
                    "subject": subject,
                    "since": opened_at,
                    "prefix": str(condition.prefix),
                    "reasons": list(condition.reasons),
                }


def _policy(engine: WatchEngine, watched: WatchedPrefix) -> list[Plain]:
    return [
        {
            "upstream": f"AS{each.upstream}",
            "instruction": each.instruction,
            "compliance": each.compliance.value,
            "paths": each.paths,
            "shown": each.shown,
        }
        for each in verdicts(engine.context(watched))
    ]


def history(engine: WatchEngine, prefix: Prefix) -> Plain:
    """Give what each peer saw of a prefix over time, in the shape of RIPEstat's BGPlay data call.

    `initial_state` is what the tables at the start said; `events` are announcements (`A`) and withdrawals (`W`).
    As `watch.view.HISTORY_MAX` changes are kept of a route, the oldest of one that flaps are missing.
    """
    start = engine.seeded_at
    initial: dict[str, Plain] = {}
    events: list[Plain] = []
    peers: list[Peer] = []
    origins: dict[int, Timestamp] = {}
    for view in engine.views.peers.values():
        state = view.routes.get(prefix)
        if state is None:
            continue
        peers.append(view.peer)
        for change in state.history:
            attributes: Plain = {"target_prefix": str(prefix), "source_id": _source(view.peer)}
            if change.path is not None:
                attributes["path"] = [int(asn) for asn in change.path.asns]
                for origin in origins_of(change.path):
                    origins[origin] = min(change.at, origins.get(origin, change.at))
            if start is not None and change.at <= start and change.path is not None:
                initial[attributes["source_id"]] = attributes
            else:
                kind = "W" if change.path is None else "A"
                events.append({"timestamp": change.at, "type": kind, "attrs": attributes})
    events.sort(key=lambda event: event["timestamp"])
    if start is None and events:
        start = events[0]["timestamp"]
    nodes = {asn for told in (*initial.values(), *(each["attrs"] for each in events)) for asn in told.get("path", ())}
    return {
        "resource": str(prefix),
        "query_starttime": start,
        "query_endtime": engine.now,
        "sources": [_source_of(peer) for peer in peers],
        "nodes": [{"as_number": asn} for asn in sorted(nodes)],
        "origins": [{"as_number": int(asn), "first": at} for asn, at in sorted(origins.items())],
        "initial_state": list(initial.values()),
        "events": events,
    }


def _source_of(peer: Peer) -> Plain:
    return {"id": _source(peer), "as_number": int(peer.asn), "ip": peer.address, "rrc": peer.collector}


def _source(peer: Peer) -> str:
    return f"{peer.collector}-{peer.address}" + (f"-{peer.place}" if peer.place else "")
