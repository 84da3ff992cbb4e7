"""All sources of a telemetry file, in one list."""

from anycastle.io.telemetry.agent_source import AgentSource
from anycastle.io.telemetry.filter_source import FilterSource
from anycastle.io.telemetry.line_source import access_log_source, prober_source
from anycastle.io.telemetry.prometheus_source import PrometheusSource
from anycastle.io.telemetry.source import Source
from anycastle.io.telemetry.telemetry_file import TelemetryFile
from anycastle.io.telemetry.toggles_source import toggles_source
from anycastle.io.telemetry.watch_source import WatchSource
from anycastle.slo.telemetry.intake import Intake


def sources_of(file: TelemetryFile, intake: Intake) -> list[Source]:
    """Give the sources; each is read from its start, unless it is restored."""
    return [
        *(access_log_source(each, intake) for each in file.access_logs),
        *(FilterSource(each, intake) for each in file.filters),
        *(prober_source(each, intake, file.regions) for each in file.probers),
        *(WatchSource(each, intake) for each in file.watches),
        *(toggles_source(each, intake) for each in file.toggles),
        *(AgentSource(each, intake) for each in file.agents),
        *(PrometheusSource(each, intake) for each in file.prometheus),
    ]
