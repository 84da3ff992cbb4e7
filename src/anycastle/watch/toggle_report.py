"""What toggles came to, as plain values: what `anycastle watch toggles -o json` prints, and a running watch answers."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from anycastle.model.prefix import Prefix
from anycastle.watch.convergence import percentile
from anycastle.watch.toggle import Outcome, Toggle, ToggleVerdict, verdicts

Plain = dict[str, Any]


def toggles_told(
    prefix: Prefix, settle_s: float, outcomes: Iterable[Outcome], left_out: Iterable[Toggle], *, brief: bool = False
) -> Plain:
    """Give the verdicts of a prefix's toggles, what became of each, and those that nobody could judge.

    In brief without the moves of each peer, which are some megabytes of a hundred toggles.
    """
    known = list(outcomes)
    return {
        "prefix": str(prefix),
        "settle_s": settle_s,
        "verdicts": [_verdict(each, known) for each in verdicts(known)],
        "toggles": [_outcome(each) if not brief else _toggle(each.toggle) for each in known],
        "left_out": [_toggle(each) for each in left_out],
    }


def _verdict(verdict: ToggleVerdict, outcomes: Iterable[Outcome]) -> Plain:
    key = (verdict.upstream, verdict.kind, verdict.instruction)
    mine = [each for each in outcomes if (each.toggle.upstream, each.toggle.kind, each.toggle.instruction) == key]
    settled = [time_s for each in mine for time_s in each.settled_s]
    return {
        "upstream": f"AS{verdict.upstream}",
        "told": verdict.kind.value,
        "instruction": verdict.instruction,
        "toggles": verdict.toggles,
        "compliance": verdict.compliance.value,
        "reason": verdict.reason,
        "trials": verdict.trials,
        "changed": verdict.changed,
        "control_trials": verdict.control_trials,
        "control_changed": verdict.control_changed,
        "chance": verdict.chance,
        "settled_s_p50": percentile(settled, (), 0.50),
        "settled_s_p95": percentile(settled, (), 0.95),
    }


def _toggle(toggle: Toggle) -> Plain:
    told = {"at": _time(toggle.at), "upstream": f"AS{toggle.upstream}", "told": toggle.kind.value}
    return told | {"instruction": toggle.instruction}


def _outcome(outcome: Outcome) -> Plain:
    return _toggle(outcome.toggle) | {
        "peers": outcome.peers,
        "moved": outcome.moved,
        "first_s_p50": outcome.first_s_p50,
        "settled_s_p50": percentile(outcome.settled_s, (), 0.50),
        "settled_s_p95": percentile(outcome.settled_s, (), 0.95),
        "through_before": [int(asn) for asn in outcome.through_before],
        "through_after": [int(asn) for asn in outcome.through_after],
        "moves": [
            {
                "collector": move.peer.collector,
                "asn": int(move.peer.asn),
                "peer": move.peer.address,
                "before": None if move.before is None else str(move.before),
                "after": None if move.after is None else str(move.after),
                "first_s": move.first_s,
                "last_s": move.last_s,
                "updates": move.updates,
            }
            for move in outcome.moves
        ],
    }


def _time(at: float) -> str:
    """Give a time as RFC 3339, in milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
