"""PRE003: no single answer of a health check moves an announcement."""

from typing import Final

from anycastle.model.check import Severity
from anycastle.rollout.readiness.row import Asked, Row, answered

CODE: Final = "PRE003"
TITLE: Final = "Health checks have hysteresis"


def hysteresis(asked: Asked) -> Row:
    """Look at each service's hard checks: each must fail, and pass, more than once before it counts."""
    good, wrong = list[str](), list[str]()
    for service in asked.fleet.services:
        for check in service.checks:
            if check.severity is not Severity.HARD:
                continue
            told = f"{service.name}: {check.name} counts after {check.fall} failures, {check.rise} passes"
            (good if check.fall > 1 and check.rise > 1 else wrong).append(told)
    return answered(CODE, TITLE, good, wrong, "set `fall` and `rise` of these checks to 2 or more")
