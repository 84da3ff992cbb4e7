"""The indicators' file -> its settings, or everything that is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from anycastle.base.errors import MisuseError
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import Findings
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.shape import read_shape
from anycastle.io.config.shapes.indicators import IndicatorsShape
from anycastle.io.whole_file import read_whole


@dataclass(frozen=True, slots=True)
class IndicatorSettings:
    """What is asked of which Prometheus."""

    url: str
    every_s: float
    queries: Mapping[str, str]
    """Indicator -> PromQL."""
    token_file: Path | None = None
    ca_file: Path | None = None
    charts: Mapping[str, str] = field(default_factory=dict)
    """Name of `slo.charts.OF_MACHINES` -> PromQL in place of its own."""


def load_indicators(path: Path) -> IndicatorSettings:
    """Read the file. Raises `MisuseError` with every finding; `WorldError`, `ParseError` for a file as such."""
    findings = Findings()
    root = read_document(str(path), read_whole(path, FILE_BYTES_MAX), findings)
    shape = read_shape(IndicatorsShape, root, findings) if root else None
    if shape is None or findings.errors:
        raise MisuseError("\n".join(map(str, findings.sorted())) or f"{path}:1:1: the file is empty")
    return IndicatorSettings(
        shape.prometheus,
        shape.every,
        dict(shape.indicators),
        None if shape.token_file is None else Path(shape.token_file),
        None if shape.ca_file is None else Path(shape.ca_file),
        dict(shape.charts),
    )
