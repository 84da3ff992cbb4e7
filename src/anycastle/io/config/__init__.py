"""The fleet folder: what an operator writes, read into a `model.fleet.Fleet` or into findings."""

from anycastle.io.config.findings import Finding, FindingKind, Severity
from anycastle.io.config.load import LoadResult, load_fleet

__all__ = ["Finding", "FindingKind", "LoadResult", "Severity", "load_fleet"]
