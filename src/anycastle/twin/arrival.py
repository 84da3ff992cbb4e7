"""How long a change of the fleet takes: the times that were measured, laid over those whose likeliest PoP differs."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from anycastle.twin.convergence import Observed, Overlay, overlay
from anycastle.twin.forecast import named_by
from anycastle.twin.graph import ASGraph
from anycastle.twin.intent import Intent
from anycastle.twin.predict import join
from anycastle.twin.predicted_shift import PredictedShift
from anycastle.twin.sweep import compile_deployment

ANNOUNCE: Final = "announce"
WITHDRAW: Final = "withdraw"
"""As `watch` names what it measured."""


def action_of(before: Intent, after: Intent) -> str:
    """Give what the change is to those who hear of it: `withdraw` where a session falls silent, else `announce`.

    After a withdrawal routers try path after path, so it is the slower of the two, and a change that does both is as
    slow as that.
    """
    silent = set(before.configuration.announced) - set(after.configuration.announced)
    return WITHDRAW if silent else ANNOUNCE


def arrival(
    graph: ASGraph,
    before: Intent,
    after: Intent,
    shift: PredictedShift,
    observed: Sequence[Observed],
    randomness: np.random.Generator,
) -> Overlay:
    """Give when the users that move have their new PoP; ASes that are left without a route never do, and are left out.

    Those count whose likeliest PoP differs. They hear of the change by the next hop that they have afterwards, by the
    rules. Raises `MisuseError` where no such change was measured.
    """
    deployment, then = join(before, after)
    compiled = compile_deployment(graph, deployment, named=named_by((then.configuration,)))
    routes = compiled.run([then.configuration], keep_keys=True).routes(0)
    there = np.flatnonzero((shift.ases.before != shift.ases.after) & (shift.ases.after >= 0) & (shift.ases.weight > 0))
    branch = routes.fields().next_hop[there].astype(np.int64)
    return overlay(action_of(before, then), shift.ases.weight[there], branch, observed, randomness)
