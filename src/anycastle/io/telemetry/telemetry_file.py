"""Reads the file of `anycastle telemetry`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anycastle.base.errors import MisuseError
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Findings, did_you_mean
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.shape import read_shape
from anycastle.io.config.shapes.telemetry import OTLPShape, TelemetryShape, ToggleResultsShape
from anycastle.io.telemetry.nft_source import NftTable
from anycastle.io.whole_file import read_whole
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.slo.telemetry.fidelity import Served
from anycastle.slo.telemetry.intake import LogSource
from anycastle.slo.telemetry.networks import NetworkEntry

OTLP_METRICS: Mapping[str, str] = {"http.server.request.duration": "client_errors"}
"""As OpenTelemetry's semantic conventions name it."""


@dataclass(frozen=True, slots=True)
class AccessLog:
    """A log that is followed."""

    name: str
    format: str
    path: Path
    source: LogSource


@dataclass(frozen=True, slots=True)
class Filter:
    """A table whose counters are read."""

    name: str
    table: NftTable
    every_s: float
    pop: str
    region: str
    passed: frozenset[str]
    dropped: frozenset[str]
    overflowed: frozenset[str]
    foreign: str


@dataclass(frozen=True, slots=True)
class ProberResults:
    """A file of results that is followed."""

    name: str
    path: Path
    targets: frozenset[str]
    """Those that count; all where none is named."""


@dataclass(frozen=True, slots=True)
class WatchLog:
    """The event log of a watch."""

    name: str
    path: Path
    socket: Path | None


@dataclass(frozen=True, slots=True)
class ToggleResults:
    """What toggles came to: as a file that is written anew, or as a running watch tells it of a prefix."""

    name: str
    path: Path
    """The file; or the watch's socket, where a prefix is named."""
    prefix: Prefix | None = None


@dataclass(frozen=True, slots=True)
class AgentLog:
    """The event log of an agent, and what its checks are held against."""

    name: str
    path: Path
    served: Served


@dataclass(frozen=True, slots=True)
class RatioQuery:
    """A ratio of two results."""

    indicator: str
    good: str
    total: str


@dataclass(frozen=True, slots=True)
class PrometheusSource:
    """A Prometheus that is asked."""

    name: str
    settings: IndicatorSettings
    region: str
    ratios: tuple[RatioQuery, ...]


@dataclass(frozen=True, slots=True)
class OTLPMeaning:
    """What OTLP counts as."""

    metrics: Mapping[str, str]
    spans: Mapping[str, str]
    logs: bool
    """Whether records with a status count as requests."""
    token_file: Path | None


@dataclass(frozen=True, slots=True)
class TelemetryFile:
    """What the file says."""

    name: str
    cell_s: float
    keep_s: float
    region: str
    networks: tuple[NetworkEntry, ...]
    access_logs: tuple[AccessLog, ...]
    filters: tuple[Filter, ...]
    probers: tuple[ProberResults, ...]
    watches: tuple[WatchLog, ...]
    toggles: tuple[ToggleResults, ...]
    agents: tuple[AgentLog, ...]
    prometheus: tuple[PrometheusSource, ...]
    otlp: OTLPMeaning
    fleet: Path | None = None
    """Whose objectives are counted."""

    @property
    def regions(self) -> dict[str, str]:
        """Give the region of each network that tells one."""
        return {entry.network: entry.region for entry in self.networks if entry.region}


def read_telemetry_file(path: Path) -> TelemetryFile:
    """Read a file. Raises what `read_whole` does, and `MisuseError` with every finding."""
    findings = Findings()
    root = read_document(str(path), read_whole(path, FILE_BYTES_MAX), findings)
    shape = read_shape(TelemetryShape, root, findings) if root else None
    if findings.errors or shape is None:
        found = "\n".join(map(str, findings.sorted())) or f"{path}:1:1: the file is empty"
        raise MisuseError(f"the telemetry file cannot be used:\n{found}")
    networks = tuple(NetworkEntry(str(each.range), each.network, each.region or "") for each in shape.networks or ())
    return TelemetryFile(
        name=shape.name,
        cell_s=shape.cell,
        keep_s=shape.keep,
        region=shape.region or "",
        networks=networks,
        access_logs=_access_logs(shape),
        filters=_filters(shape),
        probers=tuple(
            ProberResults(each.name, Path(each.path), frozenset(each.targets or ())) for each in shape.probers or ()
        ),
        watches=tuple(
            WatchLog(each.name, Path(each.path), Path(each.socket) if each.socket else None)
            for each in shape.watches or ()
        ),
        toggles=tuple(_toggles(each) for each in shape.toggles or ()),
        agents=tuple(
            AgentLog(
                each.name,
                Path(each.path),
                Served(
                    each.pop or shape.pop or "",
                    each.service,
                    frozenset(each.targets),
                    each.every,
                    each.region or shape.region or "",
                ),
            )
            for each in shape.agents or ()
        ),
        prometheus=_prometheus(shape),
        otlp=_otlp(shape.otlp),
        fleet=Path(shape.fleet) if shape.fleet else None,
    )


def require_services(file: TelemetryFile, fleet: Fleet) -> None:
    """Raise `MisuseError` for logs of services that the fleet does not have: nothing of them would be counted."""
    known = [each.name for each in fleet.services]
    wrong = [
        f"{log.name}: the fleet has no service {log.source.service!r}{did_you_mean(log.source.service, known)}"
        for log in file.access_logs
        if log.source.service and log.source.service not in known
    ]
    if wrong:
        raise MisuseError("the telemetry file does not fit its fleet:\n" + "\n".join(wrong))


def _access_logs(shape: TelemetryShape) -> tuple[AccessLog, ...]:
    return tuple(
        AccessLog(
            each.name,
            each.format,
            Path(each.path),
            LogSource(
                each.pop or shape.pop or "",
                each.region or shape.region or "",
                frozenset(each.counts),
                each.service or "",
            ),
        )
        for each in shape.access_logs or ()
    )


def _toggles(shape: ToggleResultsShape) -> ToggleResults:
    prefix = None if shape.prefix is None else shape.prefix.value
    return ToggleResults(shape.name, Path(shape.path or shape.socket or ""), prefix)


def _filters(shape: TelemetryShape) -> tuple[Filter, ...]:
    return tuple(
        Filter(
            each.name,
            NftTable(each.family, each.table),
            each.every,
            each.pop or shape.pop or "",
            each.region or shape.region or "",
            frozenset(each.passed),
            frozenset(each.dropped),
            frozenset(each.overflowed or ()),
            each.foreign or "",
        )
        for each in shape.filters or ()
    )


def _prometheus(shape: TelemetryShape) -> tuple[PrometheusSource, ...]:
    return tuple(
        PrometheusSource(
            each.name,
            IndicatorSettings(
                each.url,
                each.every,
                {},
                Path(each.token_file) if each.token_file else None,
                Path(each.ca_file) if each.ca_file else None,
            ),
            each.region or shape.region or "",
            tuple(RatioQuery(ratio.indicator, ratio.good, ratio.total) for ratio in each.ratios),
        )
        for each in shape.prometheus or ()
    )


def _otlp(shape: OTLPShape | None) -> OTLPMeaning:
    if shape is None:
        return OTLPMeaning(OTLP_METRICS, {}, logs=False, token_file=None)
    token_file = Path(shape.token_file) if shape.token_file else None
    return OTLPMeaning(dict(shape.metrics or OTLP_METRICS), dict(shape.spans or {}), shape.logs is not None, token_file)
