"""The file of `anycastle telemetry run`: what is read, and what it is counted as."""

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import Placed
from anycastle.io.config.scalars import Name, Path, PrefixText, SecretPath, Text, duration, word
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.shapes.indicators import URL, EverySpan
from anycastle.model.prefix import Prefix
from anycastle.slo.telemetry.cells import CELL_S, KEEP_S
from anycastle.wire.access.table import FORMATS

NFT_EVERY_S: Final = 10.0
PROMETHEUS_EVERY_S: Final = 60.0

LOG_COUNTS: Final = ("client_errors", "cache_hits", "session_disruption")
RATIOS: Final = ("routing_success", "client_errors", "session_disruption", "cache_hits", "check_fidelity")
SPAN_KINDS: Final = ("server", "client")
SPAN_MEANINGS: Final = ("client_errors", "edge_latency")
OTLP_MEANINGS: Final = ("client_errors", "cache_hits", "edge_latency", "scrubbed")


def _words(*words: str) -> Any:
    return PlainValidator(word({each: each for each in words})), WithJsonSchema({"enum": list(words)})


_FORMAT: Final = _words(*FORMATS)
_COUNTS: Final = _words(*LOG_COUNTS)
_RATIO: Final = _words(*RATIOS)
_MEANING: Final = _words(*OTLP_MEANINGS)
_FAMILY: Final = _words("inet", "ip", "ip6", "netdev", "bridge")

LogFormat = Annotated[str, _FORMAT[0], _FORMAT[1]]
LogCount = Annotated[str, _COUNTS[0], _COUNTS[1]]
Ratio = Annotated[str, _RATIO[0], _RATIO[1]]
Meaning = Annotated[str, _MEANING[0], _MEANING[1]]
FilterFamily = Annotated[str, _FAMILY[0], _FAMILY[1]]
CellSpan = Annotated[float, PlainValidator(duration(1.0, 3600.0)), WithJsonSchema({"type": "string"})]
KeepSpan = Annotated[float, PlainValidator(duration(60.0, 62 * 86_400.0)), WithJsonSchema({"type": "string"})]


class NetworkShape(Shape):
    """A prefix of clients."""

    prefix: PrefixText = Field(description="Of clients' addresses.")
    network: Text = Field(description="What it counts as, such as `AS64500`: probers of that AS count with it.")
    region: Name | None = Field(None, description="Where its users are.")

    @property
    def range(self) -> Prefix:
        """Give the prefix."""
        assert isinstance(self.prefix, Placed)
        return self.prefix.value


class _Source(Shape):
    name: Name = Field(description="Of this source; no two are alike.")
    pop: Name | None = Field(None, description="The PoP that it is of; by default the file's.")
    region: Name | None = Field(None, description="Where a client's network tells none; by default the file's.")


class AccessLogShape(_Source):
    """A server's access log."""

    service: Name | None = Field(None, description="The fleet's service that it is of: its objectives are counted.")
    format: LogFormat = Field(description="The server that writes it.")
    path: Path = Field(description="The file; where it is rotated to is found by itself.")
    counts: Annotated[list[LogCount], ITEMS] = Field(
        description="What its lines count for. A request that passes three servers is to count in one of them."
    )


class FilterShape(_Source):
    """A table of nftables on this machine."""

    family: FilterFamily = Field("inet", description="The table's family.")
    table: Text = Field(description="The table's name.")
    every: EverySpan = Field(NFT_EVERY_S, description="How often it is read.")
    passed: Annotated[list[Text], ITEMS] = Field(description="Named counters of traffic that is let through.")
    dropped: Annotated[list[Text], ITEMS] = Field(description="Named counters of what is dropped as an attack.")
    overflowed: Annotated[list[Text], ITEMS] | None = Field(
        None, description="Named counters of what is dropped for want of room."
    )
    foreign: Text | None = Field(None, description="A set of `ip saddr . tcp sport`: flows met in their middle.")


class ProberResultsShape(_Source):
    """Results of a prober, as lines in a file."""

    path: Path = Field(description="What `anycastle prober run --out` writes.")
    targets: Annotated[list[Text], ITEMS] | None = Field(None, description="Those that count; all by default.")


class ToggleResultsShape(_Source):
    """What toggles came to: which upstreams do as they are told (M10)."""

    path: Path | None = Field(
        None, description="What `anycastle watch toggles -o json` wrote; it may come later, and anew."
    )
    socket: Path | None = Field(None, description="Instead of a file: the `watch.sock` of a running watch.")
    prefix: PrefixText | None = Field(None, description="With `socket`: the test prefix whose changes are toggles.")

    def review(self, findings: Findings) -> None:
        """Either a file or a watch is named, and of a watch the prefix."""
        if self.misread("path", "socket", "prefix"):
            return
        if (self.path is None) == (self.socket is None):
            self.add(findings, FindingKind.BAD_VALUE, "name", "name either path or socket")
        elif (self.prefix is None) != (self.socket is None):
            self.add(findings, FindingKind.BAD_VALUE, "name", "socket and prefix go together")


class WatchLogShape(_Source):
    """The event log of `anycastle watch run`, on this machine."""

    path: Path = Field(description="Its `events.db`.")
    socket: Path | None = Field(None, description="Its `watch.sock`, which tells how visible prefixes are.")


class AgentLogShape(_Source):
    """The event log of a PoP's agent, on this machine: what its checks said, beside what probers here got."""

    path: Path = Field(description="Its `events.db`.")
    service: Name = Field(description="The service whose checks are held against probes.")
    targets: Annotated[list[Text], ITEMS] = Field(description="Targets of probers that ask this service.")
    every: EverySpan = Field(1.0, description="The checks' interval.")


class RatioQueryShape(Shape):
    """Two counts of a Prometheus that make a ratio."""

    indicator: Ratio = Field(description="Which indicator it is of.")
    good: Text = Field(description="PromQL: good events of the last `every`, by `pop`.")
    total: Text = Field(description="PromQL: all events of the same span, by `pop`.")


class PrometheusShape(_Source):
    """A Prometheus that is asked."""

    url: URL = Field(description="Where it answers.")
    every: EverySpan = Field(PROMETHEUS_EVERY_S, description="How often, and how long the span of the queries is.")
    token_file: SecretPath | None = Field(None, description="The file with a bearer token, where one is needed.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by.")
    ratios: Annotated[list[RatioQueryShape], ITEMS] = Field(description="What it is asked.")


class OTLPShape(Shape):
    """What OTLP/HTTP brings; without it, all three are taken as OpenTelemetry's conventions name them."""

    metrics: Annotated[dict[str, Meaning], ENTRIES] | None = Field(
        None, description="Metric's name -> what it counts as."
    )
    spans: Annotated[dict[str, Meaning], ENTRIES] | None = Field(
        None, description="`server` or `client` -> what such spans count as."
    )
    logs: Meaning | None = Field(None, description="What log records with a status count as: `client_errors`.")
    token_file: SecretPath | None = Field(None, description="The file with the token that senders must show.")

    def review(self, findings: Findings) -> None:
        """Spans and records tell of requests, and not of counters."""
        for kind, meaning in (self.spans or {}).items():
            if kind not in SPAN_KINDS:
                message = f"spans are of kind {' or '.join(SPAN_KINDS)}, not {kind!r}"
                self.add_at_entry(findings, FindingKind.BAD_VALUE, "spans", kind, message)
            elif meaning not in SPAN_MEANINGS:
                message = f"a span counts as {' or '.join(SPAN_MEANINGS)}, not {meaning}"
                self.add_at_entry(findings, FindingKind.BAD_VALUE, "spans", kind, message)
        if self.logs not in (None, "client_errors"):
            self.add(findings, FindingKind.BAD_VALUE, "logs", f"a record counts as client_errors, not {self.logs}")


class TelemetryShape(Shape):
    """The whole file."""

    passes_over_x = True

    name: Name = Field(description="Of this collector.")
    pop: Name | None = Field(None, description="The PoP of sources that name none.")
    region: Name | None = Field(None, description="The region of clients whose network tells none.")
    fleet: Path | None = Field(
        None, description="A fleet folder: events of its objectives are counted, for the rules that Prometheus runs."
    )
    cell: CellSpan = Field(CELL_S, description="How finely time is kept.")
    keep: KeepSpan = Field(KEEP_S, description="For how long.")
    networks: Annotated[list[NetworkShape], ITEMS] | None = Field(None, description="Clients' prefixes, by network.")
    access_logs: Annotated[list[AccessLogShape], ITEMS] | None = Field(None, description="Servers' logs.")
    filters: Annotated[list[FilterShape], ITEMS] | None = Field(None, description="Tables of nftables.")
    probers: Annotated[list[ProberResultsShape], ITEMS] | None = Field(None, description="Probers' results.")
    watches: Annotated[list[WatchLogShape], ITEMS] | None = Field(None, description="Logs of the watch.")
    toggles: Annotated[list[ToggleResultsShape], ITEMS] | None = Field(None, description="Results of toggles.")
    agents: Annotated[list[AgentLogShape], ITEMS] | None = Field(None, description="Logs of agents.")
    prometheus: Annotated[list[PrometheusShape], ITEMS] | None = Field(None, description="Prometheus servers.")
    otlp: OTLPShape | None = Field(None, description="How OTLP is understood.")

    def review(self, findings: Findings) -> None:
        """Names are told apart; each log and filter has a PoP."""
        seen: set[str] = set()
        for source in self.sources():
            if source.name in seen:
                source.add(findings, FindingKind.DUPLICATE_NAME, "name", f"two sources are named {source.name}")
            seen.add(source.name)
        for log in self.access_logs or ():
            if log.service is not None and self.fleet is None and not self.misread("fleet"):
                log.add(findings, FindingKind.BAD_VALUE, "service", "whose service is it? Name the `fleet` folder")
        for source in (*(self.access_logs or ()), *(self.filters or ()), *(self.agents or ())):
            if source.pop is None and self.pop is None and not self.misread("pop"):
                source.add(
                    findings, FindingKind.MISSING_KEY, "pop", "of which PoP is it? Name it here, or once for all"
                )

    def sources(self) -> list[_Source]:
        """Give all that is read here."""
        kinds = (self.access_logs, self.filters, self.probers, self.watches, self.toggles, self.agents, self.prometheus)
        return [source for kind in kinds for source in kind or ()]
