"""What people name to be calibrated on: folders and files, each read by the reader of its kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.catchments.atlas import read_atlas
from anycastle.io.catchments.peering import read_peering
from anycastle.io.catchments.table import ASNOf, read_table
from anycastle.io.catchments.verfploeter import read_verfploeter
from anycastle.model.catchment import Experiment, Round
from anycastle.probe.site import AIRPORT
from anycastle.twin.calibration import Observations

CHAOS_PATTERN: Final = AIRPORT


@dataclass(frozen=True, slots=True)
class Reading:
    """How sources are to be read."""

    leave_out: tuple[str, ...] = ()
    country: Mapping[int, str] | None = None
    asn_of: ASNOf | None = None
    chaos_pattern: str = CHAOS_PATTERN


def read_sources(paths: Iterable[Path], reading: Reading) -> Observations:
    """Read folders of PEERING experiments, tables (`.csv`) and Atlas results (`.json`, `.jsonl`), packed or not.

    Raises `WorldError` for what cannot be read, `ParseError` with `FILE:LINE` for what is not as it should be.
    """
    found = Observations((), country=reading.country or {})
    for path in paths:
        found = _joined(found, _read(path, reading))
    return found


def _read(path: Path, reading: Reading) -> Observations:
    if path.is_dir():
        folder = read_peering(path, leave_out=reading.leave_out)
        return Observations(folder.experiments, folder.paths, folder.neighbours)
    if not path.exists():
        raise WorldError(f"there is no file or folder {path}", retryable=False)
    suffixes = [suffix for suffix in path.suffixes if suffix not in (".gz", ".bz2", ".xz")]
    kind = suffixes[-1] if suffixes else ""
    if kind == ".csv":
        return Observations(_kept(read_table(path, reading.asn_of), reading.leave_out))
    if kind in (".json", ".jsonl"):
        asn_of = reading.asn_of or (lambda _: 0)
        return Observations((read_atlas(path, reading.chaos_pattern, asn_of).experiment,))
    raise ParseError(f"{path}: no reader for {kind or 'a name without ending'}; there are .csv, .json, .jsonl, folders")


def _kept(experiments: Iterable[Experiment], leave_out: tuple[str, ...]) -> tuple[Experiment, ...]:
    return tuple(each for each in experiments if not set(each.announced) & set(leave_out))


def _joined(one: Observations, other: Observations) -> Observations:
    return Observations(
        one.experiments + other.experiments, one.paths + other.paths, one.neighbours + other.neighbours, one.country
    )


def read_rounds(paths: Iterable[Path]) -> tuple[Round, ...]:
    """Read Verfploeter rounds from files, and from folders of them."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*__*__*.csv*")) if path.is_dir() else [path]
    if not files:
        raise WorldError("no round: a file is named CONFIGURATION__SITE+SITE__DATE.csv", retryable=False)
    return tuple(read_verfploeter(path) for path in files)
