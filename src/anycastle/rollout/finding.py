"""What the checks of a plan say."""

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How grave a finding is. A plan with one error is refused."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class PlanFinding:
    """One thing that a check found. Codes are explained in docs/reference/plan-findings.md."""

    code: str
    severity: Severity
    subject: str
    """A service, a PoP, a route, or a step."""
    text: str
    evidence: tuple[str, ...] = ()


EVIDENCE_MAX = 20
"""Lines of evidence that one finding carries; the rest are counted."""


def bounded(lines: list[str]) -> tuple[str, ...]:
    """Give evidence within its bound."""
    more = len(lines) - EVIDENCE_MAX
    return (*lines[:EVIDENCE_MAX], f"and {more} more") if more > 0 else tuple(lines)
