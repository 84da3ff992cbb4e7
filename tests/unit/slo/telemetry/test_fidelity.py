import pytest

from anycastle.slo.telemetry.fidelity import SETTLE_S, Fidelity, Served

EDGE = Served("fra", "edge", frozenset({"web"}), 1.0)


def slots(fidelity: Fidelity, now: float) -> list[tuple[float, bool | None]]:
    return [(slot.at, slot.said_up) for slot in fidelity.settled(EDGE, now)]


@pytest.mark.mission("M9")
def test_what_a_check_said_while_the_service_served() -> None:
    found = Fidelity((EDGE,))
    found.said("fra", "edge", "http", 100.5, up=True)
    found.said("fra", "edge", "http", 103.2, up=False)
    found.said("fra", "dns", "soa", 90.0, up=False)
    for at in (99.9, 101.0, 101.9, 102.5, 103.1, 104.0, 105.0):
        found.answered("fra", "web", at)
    found.answered("ams", "web", 106.0)
    found.answered("fra", "soa", 107.0)
    assert slots(found, 105.0 + SETTLE_S) == [(99.0, None), (101.0, True), (102.0, True), (103.0, None)]
    assert slots(found, 105.5 + SETTLE_S) == [(104.0, False)]
    found.said("fra", "edge", "http", 105.5, up=True)
    assert slots(found, 200.0) == [(105.0, None)], "a verdict that is read late is there in time"
    assert slots(found, 300.0) == []
