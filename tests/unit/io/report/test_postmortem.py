"""What a postmortem says where nothing was lost, and where nobody knows."""

import pytest

from anycastle.base.ports import Timestamp
from anycastle.io.report.markdown import markdown
from anycastle.io.report.postmortem import document_of
from anycastle.response.incident import Incident
from anycastle.response.postmortem import Impact, Moments, Postmortem
from anycastle.response.signal import Urgency
from anycastle.response.timeline import Timeline

pytestmark = pytest.mark.mission("C15")

OPENED = Timestamp(1_800_000_000.0)


def written(*impact: Impact, first_loss: Timestamp | None = None) -> str:
    """Give the postmortem of a PoP whose wires were cut."""
    incident = Incident(1, OPENED, "pop1 is gone", Urgency.PAGE, pops={"pop1"})
    moments = Moments(OPENED, first_loss, OPENED, OPENED, None, None, None, "", first_loss, None)
    return markdown(document_of(Postmortem(incident, Timeline(incident, (), 0), moments, impact, (), (), (), ()), None))


def region(lost: int, asked: int = 500) -> Impact:
    return Impact("eu", asked, lost, 5, min(lost, 5), None, None, ())


def test_that_nothing_was_lost_is_known() -> None:
    text = written(region(0))
    assert "**nothing** to detect, from the first lost answer" in text
    assert "No probe lost an answer" in text
    assert "| first lost answer | none |" in text
    assert "| somebody paged | not known |" in text


def test_what_was_lost_is_counted_from() -> None:
    text = written(region(20), first_loss=Timestamp(OPENED - 4.0))
    assert "**4.0 s** to detect, from the first lost answer" in text
    assert "No probe lost an answer" not in text


def test_without_probes_nobody_knows() -> None:
    text = written()
    assert "**not known** to detect, from the first lost answer" in text
    assert "| first lost answer | not known |" in text
