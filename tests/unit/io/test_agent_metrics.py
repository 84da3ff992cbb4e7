import re
from typing import Any

from anycastle.io.agent_metrics import AgentMetrics

STATUS: dict[str, Any] = {
    "pop": "ams",
    "ready": True,
    "services": [
        {
            "name": "dns",
            "stance": "steer",
            "permit": "held",
            "suppressed": False,
            "drain": {"step": "shutting"},
            "checks": [
                {"name": "udp", "verdict": "healthy", "late": 3},
                {"name": "tcp", "verdict": "unhealthy", "late": 0},
            ],
        }
    ],
    "wanted": [1, 2],
    "exported": [1],
    "sessions": [{"upstream": "transit", "neighbour": "192.0.2.1", "state": "established"}],
    "answers": {"pass": 10, "fail": 2},
    "events_dropped": 0,
}


def rendered(accept: str = "") -> tuple[str, dict[str, float]]:
    content_type, body = AgentMetrics(lambda: STATUS).render(accept)
    rows = re.findall(r"^(anycastle_\S+?)(\{.*\})? (\S+)$", body.decode(), re.MULTILINE)
    return content_type, {name + labels: float(value) for name, labels, value in rows}


def test_what_an_operator_watches_is_there() -> None:
    content_type, rows = rendered()
    assert content_type.startswith("text/plain")
    assert rows['anycastle_ready{pop="ams"}'] == 1
    stance = 'anycastle_service_stance{pop="ams",service="dns",stance="%s"}'
    assert [rows[stance % each] for each in ("announce", "steer", "withdraw")] == [0, 1, 0]
    assert rows['anycastle_withdraw_permit_held{pop="ams",service="dns"}'] == 1
    assert rows['anycastle_service_draining{pop="ams",service="dns"}'] == 1
    assert rows['anycastle_check_healthy{check="tcp",pop="ams",service="dns"}'] == 0
    assert rows['anycastle_check_late_total{check="udp",pop="ams",service="dns"}'] == 3
    assert rows['anycastle_announcements_wanted{pop="ams"}'] == 2
    assert rows['anycastle_announcements_exported{pop="ams"}'] == 1
    assert rows['anycastle_session_established{neighbour="192.0.2.1",pop="ams",upstream="transit"}'] == 1
    assert rows['anycastle_checks_total{outcome="unknown",pop="ams"}'] == 0


def test_openmetrics_is_given_to_who_asks_for_it() -> None:
    content_type, rows = rendered("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert rows['anycastle_checks_total{outcome="fail",pop="ams"}'] == 2
