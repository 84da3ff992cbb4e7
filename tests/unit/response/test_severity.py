import pytest

from anycastle.base.ports import Timestamp
from anycastle.io import runbooks
from anycastle.response import follows
from anycastle.response.attached import RUNBOOK_OF, USUAL, runbook_of
from anycastle.response.incident import Incident
from anycastle.response.severity import Severity, severity_of
from anycastle.response.signal import Urgency


def incident(kind: str, *pops: str, urgency: Urgency = Urgency.PAGE, joined: str = "") -> Incident:
    made = Incident(1, Timestamp(0.0), "t", urgency, kind=kind, pops=set(pops))
    made.alerts |= {(name, "", "", "") for name in (kind, joined) if name}
    return made


@pytest.mark.mission("C15")
@pytest.mark.parametrize(
    ("of", "severity"),
    [
        (incident("pop_down", "fra"), Severity.MAJOR),
        (incident("pop_down", "fra", "ams"), Severity.CRITICAL),
        (incident("pop_down", "fra", joined="budget_burn"), Severity.CRITICAL),
        (incident("hijack"), Severity.CRITICAL),
        (incident("floor_crossed", "fra"), Severity.CRITICAL),
        (incident("controller_alone"), Severity.CRITICAL),
        (incident("hijack", urgency=Urgency.TICKET), Severity.MINOR),
    ],
)
def test_how_bad(of: Incident, severity: Severity) -> None:
    assert severity_of(of) is severity


def test_each_kind_has_a_runbook_that_is_shipped() -> None:
    shipped = runbooks.shipped()
    assert {*RUNBOOK_OF.values(), USUAL} <= shipped.keys()
    assert runbook_of(follows.HIJACK) == "hijack"
    assert runbook_of("what nobody knows") == USUAL
