"""The watch daemon's figures, as Prometheus scrapes them."""

from anycastle.io.metrics import MetricsPage
from anycastle.io.watch_metrics import WatchCollector

STATUS = {
    "ready": False,
    "feeds": [
        {
            "name": "ris-live",
            "connected": False,
            "connections": 3,
            "messages": 12,
            "garbage": 1,
            "silent_s": 7.5,
            "sessions": [{"peer": "AS64601 192.0.2.1", "state": "idle"}],
        },
    ],
    "collectors": [{"collector": "rrc00", "silent_s": 2.0, "peers": 40}],
    "prefixes": [
        {
            "prefix": "192.0.2.0/24",
            "family": "ipv4",
            "visibility": 0.75,
            "able": 40,
            "regions": {"asia": {"visibility": 0.5, "able": 4}, "africa": {"visibility": 1.0, "able": 0}},
        }
    ],
    "findings": [{"kind": "origin_change", "severity": "critical", "count": 2}],
    "vrps": 3,
    "facts": 5,
    "facts_dropped": 1,
    "facts_late": 2,
    "events_dropped": 0,
}


def test_what_an_operator_alerts_on_is_there() -> None:
    _, body = MetricsPage(WatchCollector(lambda: STATUS)).render("")
    rows = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    assert rows["anycastle_watch_ready"] == "0.0"
    assert rows['anycastle_watch_visibility_ratio{family="ipv4",prefix="192.0.2.0/24"}'] == "0.75"
    regions = [key for key in rows if key.startswith("anycastle_watch_visibility_region_ratio")]
    assert regions == ['anycastle_watch_visibility_region_ratio{family="ipv4",prefix="192.0.2.0/24",region="asia"}']
    assert rows['anycastle_watch_session_up{feed="ris-live",peer="AS64601 192.0.2.1"}'] == "0.0"
    assert rows['anycastle_watch_findings_open{kind="origin_change",severity="critical"}'] == "2.0"
    assert rows['anycastle_watch_feed_silent_seconds{feed="ris-live"}'] == "7.5"
    assert rows['anycastle_watch_feed_connections_total{feed="ris-live"}'] == "3.0"
    assert rows['anycastle_watch_collector_silent_seconds{collector="rrc00"}'] == "2.0"
    assert rows["anycastle_watch_facts_dropped_total"] == "1.0"
