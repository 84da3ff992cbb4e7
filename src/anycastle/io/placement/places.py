"""Where networks are: by country, from ranges of addresses; by a CSV of coordinates; by region, in graphs made here."""

import csv
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges
from anycastle.io.rows import Field, parse_number, parse_words, read_rows
from anycastle.model.asn import parse_asn
from anycastle.twin.graph import ASGraph
from anycastle.twin.rtt import Places

FIELDS: Final = (
    Field("asn", parse_asn, also=("as",)),
    Field("latitude", parse_number(-90, 90, "latitude"), also=("lat",)),
    Field("longitude", parse_number(-180, 180, "longitude"), also=("lon", "lng")),
    Field("region", parse_words, "unknown"),
)


class Located(NamedTuple):
    """The place of each node, int32[node] (-1: not known), and the places."""

    place_of: NDArray[np.int32]
    places: Places
    source: str


@lru_cache(maxsize=1)
def countries() -> Places:
    """Give every country as the centres of its cities, by the two letters of ISO 3166, with its continent as region.

    Source: GeoNames (CC BY 4.0), made by tools/geography.py.
    """
    text = (files("anycastle.io.geography") / "countries.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    names = list(dict.fromkeys(row["country"] for row in rows))
    region = {row["country"]: row["region"] for row in rows}
    return Places(
        tuple(names),
        tuple(region[name] for name in names),
        np.array([names.index(row["country"]) for row in rows], np.int32),
        np.array([(float(row["latitude"]), float(row["longitude"])) for row in rows]),
        np.array([float(row["people_thousands"]) for row in rows]),
        np.array([float(row["spread_km"]) for row in rows]),
    )


def located_by_country(graph: ASGraph, asn_ranges: Path, country_ranges: Path) -> Located:
    """Place each AS in the country where most of its addresses are. Raises `ParseError` with `FILE:LINE`."""
    of_asn = country_of_asns(read_ip_ranges(asn_ranges), read_ip_ranges(country_ranges))
    places = countries()
    number = {name: at for at, name in enumerate(places.name)}
    asns = graph.asn.tolist()
    place_of = np.array([number.get(of_asn.get(asn, ""), -1) for asn in asns], np.int32)
    return Located(place_of, places, f"countries by {asn_ranges.name} and {country_ranges.name}")


def located_by_csv(graph: ASGraph, path: Path, otherwise: Located | None = None) -> Located:
    """Place ASes at points of a CSV, `asn,latitude,longitude[,region]`; others as `otherwise` has them.

    Several rows of one AS are its centres, all alike. Raises `ParseError` with all that is wrong.
    """
    rows = read_rows(path, FIELDS)
    asns = list(dict.fromkeys(int(row.value["asn"]) for row in rows))
    number = {asn: at for at, asn in enumerate(asns)}
    region = {int(row.value["asn"]): row.value["region"] for row in rows}
    points = Places(
        tuple(f"AS{asn}" for asn in asns),
        tuple(region[asn] for asn in asns),
        np.array([number[int(row.value["asn"])] for row in rows], np.int32),
        np.array([(row.value["latitude"], row.value["longitude"]) for row in rows], np.float64),
        np.ones(len(rows)),
        np.zeros(len(rows)),
    )
    nodes = graph.nodes(asns)
    there = nodes >= 0
    base = otherwise or Located(np.full(len(graph), -1, np.int32), Places((), (), *_nothing()), "")
    place_of = base.place_of.copy()
    place_of[nodes[there]] = np.flatnonzero(there).astype(np.int32) + np.int32(len(base.places.name))
    source = f"{base.source}, and {path.name}" if base.source else path.name
    return Located(place_of, base.places.joined(points), source)


def _nothing() -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return np.zeros(0, np.int32), np.zeros((0, 2)), np.zeros(0), np.zeros(0)


def located_by_region(graph: ASGraph, region: Mapping[int, str], randomness: np.random.Generator) -> Located:
    """Place the ASes of a graph made here in countries of their regions, drawn by people."""
    return located_by_label(graph, region, randomness, "drawn by region, for the graph is synthetic")


def located_by_label(graph: ASGraph, label: Mapping[int, str], randomness: np.random.Generator, source: str) -> Located:
    """Place ASes by the country that is their label; where that is a region, in one of its countries, by people."""
    places = countries()
    people = np.bincount(places.place, places.people)
    number = {name: at for at, name in enumerate(places.name)}
    names = np.array([label.get(asn, "") for asn in graph.asn.tolist()])
    place_of = np.array([number.get(name.upper(), -1) for name in names.tolist()], np.int32)
    for name in sorted(set(label.values())):
        here = np.array([at for at, each in enumerate(places.region) if each == name], np.int32)
        nodes = np.flatnonzero(names == name)
        if len(here):
            place_of[nodes] = randomness.choice(here, len(nodes), p=people[here] / people[here].sum())
    return Located(place_of, places, source)
