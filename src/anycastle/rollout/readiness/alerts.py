"""RDY001: somebody is told when clients are not served, and when others announce what is ours."""

from typing import Final

from anycastle.model.watch import WatchPlan
from anycastle.rollout.readiness.row import Asked, Row, answered

CODE: Final = "RDY001"
TITLE: Final = "Monitoring thresholds and alerts are enabled"


def alerts(asked: Asked) -> Row:
    """Look for an objective that can page for each service, and for what the watch is told of the fleet's routes."""
    paged = {each.service for each in asked.fleet.objectives}
    good = [f"{name}: burn rates of its objectives page" for name in sorted(paged)]
    wrong = [f"{each.name}: no objective, so nothing pages" for each in asked.fleet.services if each.name not in paged]
    if asked.fleet.watch == WatchPlan():
        wrong.append("fleet.yaml has no `watch`: hijacks and leaks are looked for with nothing but defaults")
    else:
        good.append("fleet.yaml says what the watch is to expect")
    return answered(CODE, TITLE, good, wrong, "write objectives, and a `watch` section: docs/how-to/objectives, watch")
