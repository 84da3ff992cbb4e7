"""Folders of PEERING experiments: `N_SITE_SITE/`, each with catchments as JSON and collector paths as CSV.

A folder's catchment files are `{ASN: [SITE]}`: found by ping, by traceroute from RIPE Atlas, and at collectors. An AS
with several sites is one whose answers disagreed, and is left out. `peers.json` beside them lists the neighbours of
every site.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.catchments.collector_paths import read_collector_paths
from anycastle.io.catchments.text import read_json
from anycastle.model.asn import ASN
from anycastle.model.catchment import CollectorPath, Experiment, Measurement, Neighbour, experiment_of

PEERING_ASN: Final = ASN(47065)
"""The testbed's AS."""
_KINDS: Final = (
    ("dp_pings_est_as_to_mux_catchment.json", "ping"),
    ("dp_trace_est_ra_as_to_mux_catchment.json", "traceroute"),
    ("cp_bgpstream_est_mon_as_to_mux_catchment.json", "collector"),
)


@dataclass(frozen=True, slots=True)
class PeeringFolder:
    """All that a folder tells."""

    experiments: tuple[Experiment, ...]
    paths: tuple[CollectorPath, ...]
    neighbours: tuple[Neighbour, ...]


def read_peering(folder: Path, *, leave_out: tuple[str, ...] = ()) -> PeeringFolder:
    """Read all experiments of a folder, or of one experiment's folder, without those of the sites to leave out.

    Raises `WorldError` where there is nothing to read, `ParseError` for a file that is not as it should be.
    """
    if not folder.is_dir():
        raise WorldError(f"{folder} is no folder", retryable=False)
    inside = [folder] if _sites(folder) else sorted(each for each in folder.iterdir() if each.is_dir())
    experiments: list[Experiment] = []
    paths: set[CollectorPath] = set()
    for each in inside:
        sites = _sites(each)
        if not sites or set(sites) & set(leave_out):
            continue
        experiments += _experiments(each, sites)
        paths.update(_paths(each, sites))
    if not experiments:
        raise WorldError(f"{folder}: no experiment; those are folders N_SITE_SITE with {_KINDS[0][0]}", retryable=False)
    peers = _packed(folder / "peers.json") or _packed(folder.parent / "peers.json")
    neighbours = () if peers is None else _neighbours(peers)
    return PeeringFolder(tuple(experiments), tuple(sorted(paths, key=lambda p: (p.announced, p.path))), neighbours)


def _sites(folder: Path) -> tuple[str, ...]:
    number, *sites = folder.name.split("_")
    return tuple(sites) if number.isdigit() and sites and _packed(folder / _KINDS[0][0]) else ()


def _packed(path: Path) -> Path | None:
    """Give the file of this name, plain or packed, or None."""
    return next((each for each in (path, path.with_name(path.name + ".gz")) if each.is_file()), None)


def _experiments(folder: Path, sites: tuple[str, ...]) -> list[Experiment]:
    found = []
    counts = _packed(folder / "dp_pings_per_asn.json")
    weights = {} if counts is None else read_json(counts)
    for name, method in _KINDS:
        path = _packed(folder / name)
        if path is None:
            continue
        value = read_json(path)
        if not isinstance(value, dict):
            raise ParseError(f"{path}: a catchment is an object of ASN: [SITE], not {type(value).__name__}")
        measured = [each for key, pops in value.items() if (each := _measured(path, key, pops, sites, weights, method))]
        found.append(experiment_of(sites, measured, source=f"{folder.name}/{path.name}", method=method))
    return found


def _measured(path: Path, key: str, pops: Any, sites: tuple[str, ...], weights: Any, method: str) -> Measurement | None:
    where = f"{path}: {key!r}"
    if not (key.isascii() and key.isdigit() and int(key) <= 0xFFFFFFFF):
        raise ParseError(f"{where} is no AS number")
    names = pops if isinstance(pops, list) else [pops]
    if not names or not all(isinstance(name, str) for name in names):
        raise ParseError(f"{where}: {pops!r} is no list of sites")
    if len(names) > 1:
        return None
    if names[0] not in sites:
        raise ParseError(f"{where}: {names[0]!r} was not announced; those were {', '.join(sites)}")
    weight = weights.get(key, 1) if method == "ping" and isinstance(weights, dict) else 1
    if not isinstance(weight, int | float):
        raise ParseError(f"{where}: {weight!r} is no number of pings")
    return Measurement(ASN(int(key)), names[0], float(weight))


def _paths(folder: Path, sites: tuple[str, ...]) -> list[CollectorPath]:
    """Give the paths of each site alone; those under the whole set are its catchment, and stay out."""
    found: list[CollectorPath] = []
    for site in sites:
        path = _packed(folder / f"{site}_bgpstream_paths.csv")
        if path is not None:
            found += read_collector_paths(path, (site,), PEERING_ASN)
    return found


def _neighbours(path: Path) -> tuple[Neighbour, ...]:
    """Give the IPv4 neighbours of every site; route servers are no neighbours in a path."""
    rows = read_json(path)
    if not isinstance(rows, list):
        raise ParseError(f"{path}: a list of neighbours was expected")
    found = set()
    for number, row in enumerate(rows):
        try:
            if row["IP version"] == "IPv4" and row["Route Server"] != "True":
                found.add((str(row["BGP Mux"]), int(row["Peer ASN"]), row["Transit"] == "True"))
        except (KeyError, TypeError, ValueError) as error:
            raise ParseError(f"{path}: neighbour {number}: {error!r}") from error
    return tuple(Neighbour(pop, ASN(asn), transit) for pop, asn, transit in sorted(found))
