"""What the API says of itself to Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Measure:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "anycastle_http_requests",
            "Requests that were answered.",
            ("endpoint", "status"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            "anycastle_http_request_seconds",
            "How long answers took; streams are not among them.",
            ("endpoint",),
            buckets=(0.001, 0.005, 0.025, 0.1, 0.25, 1.0, 5.0, 30.0),
            registry=self.registry,
        )
        self.limited = Counter("anycastle_http_limited", "Requests beyond a rate.", ("by",), registry=self.registry)
        self.streams = Gauge("anycastle_event_streams", "Clients of the event stream.", registry=self.registry)
        self.cut = Counter(
            "anycastle_event_streams_cut", "Streams that were ended by us.", ("why",), registry=self.registry
        )
        self.leading = Gauge("anycastle_controller_leading", "Whether this controller leads.", registry=self.registry)
        self.events = Gauge("anycastle_event_log_last", "Number of the last event.", registry=self.registry)

    def page(self) -> bytes:
        """Give the page."""
        return generate_latest(self.registry)
