"""The watch daemon's figures for Prometheus, read from its state when they are scraped."""

from collections.abc import Callable, Iterator
from typing import Any

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from anycastle.io.metrics import counter, gauge

Source = Callable[[], dict[str, Any]]
"""() -> the daemon's status (`daemons.watch_process`)."""


class WatchCollector(Collector):
    """Turns the daemon's status into metric families."""

    def __init__(self, status: Source) -> None:
        self._status = status

    def collect(self) -> Iterator[Metric]:
        """Give every family, as things stand now."""
        status = self._status()
        yield gauge("watch_ready", "1 while every feed is connected", [], [((), status["ready"])])
        prefixes = [
            ((each["prefix"], each["family"]), each["visibility"])
            for each in status["prefixes"]
            if each["visibility"] is not None
        ]
        text = "Share of full-feed ASes that see a prefix, one vote per AS"
        yield gauge("watch_visibility_ratio", text, ["prefix", "family"], prefixes)
        able = [((each["prefix"], each["family"]), each["able"]) for each in status["prefixes"]]
        yield gauge("watch_visibility_ases", "ASes that are able to see a prefix", ["prefix", "family"], able)
        regions = [
            ((each["prefix"], each["family"], region), seen["visibility"])
            for each in status["prefixes"]
            for region, seen in each["regions"].items()
            if seen["able"]
        ]
        text = "The same among the ASes of one region of peers"
        yield gauge("watch_visibility_region_ratio", text, ["prefix", "family", "region"], regions)
        findings = [((each["kind"], each["severity"]), each["count"]) for each in status["findings"]]
        yield gauge("watch_findings_open", "Findings that are open", ["kind", "severity"], findings)
        yield gauge(
            "watch_vrps", "VRPs that origins are validated by; 0 while there are none", [], [((), status["vrps"] or 0)]
        )
        feeds = status["feeds"]
        connected = [((each["name"],), each["connected"]) for each in feeds]
        yield gauge("watch_feed_connected", "1 while a feed is connected", ["feed"], connected)
        silent = [((each["name"],), each["silent_s"]) for each in feeds]
        yield gauge("watch_feed_silent_seconds", "Seconds since anything was heard of a feed", ["feed"], silent)
        sessions = [
            ((each["name"], told["peer"]), told["state"] == "established")
            for each in feeds
            for told in each["sessions"]
        ]
        yield gauge("watch_session_up", "1 while a BGP session of the watch is up", ["feed", "peer"], sessions)
        peers = [((each["collector"],), each["silent_s"]) for each in status["collectors"]]
        text = "Seconds since any peer of a collector was heard"
        yield gauge("watch_collector_silent_seconds", text, ["collector"], peers)
        up = [((each["collector"],), each["peers"]) for each in status["collectors"]]
        yield gauge("watch_peers_up", "Peers of a collector that are up", ["collector"], up)
        for name, text in (
            ("messages", "Messages of a feed that were read"),
            ("garbage", "Messages of a feed that could not be read"),
            ("connections", "Connections that a feed made"),
        ):
            rows = [((each["name"],), each[name]) for each in feeds]
            yield counter(f"watch_feed_{name}", text, ["feed"], rows)
        for name, text in (
            ("facts", "Facts that the engine took"),
            ("facts_dropped", "Facts that did not fit the queue and are lost"),
            ("facts_late", "Facts that came after a later one"),
            ("events_dropped", "Events that the log could not take in time"),
        ):
            yield counter(f"watch_{name}", text, [], [((), status[name])])
