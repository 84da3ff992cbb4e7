"""Files of Atlas results, and what they tell of catchments; the twin's calibration takes what is exported."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from anycastle.base.errors import ParseError
from anycastle.cli.probe_catchments import catchments
from anycastle.io.atlas import read_results, sightings_of
from anycastle.io.catchments.atlas import read_atlas
from anycastle.io.catchments.table import read_table
from anycastle.io.vantage_points import read_probes, read_sites
from anycastle.model.distance import great_circle_km
from anycastle.model.pop import Location
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.catchment_summary import summarize
from anycastle.probe.catchments import fold
from anycastle.probe.site import AIRPORT, parse_site_rule
from anycastle.wire.atlas.result import Garbage
from tests.unit.wire.atlas.samples import SAMPLES, sample

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "atlas"
RULE = parse_site_rule(AIRPORT)


@pytest.fixture(scope="module")
def cloudflare() -> Path:
    path = DATA / "cloudflare-chaos-2015.json.gz"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    return path


def test_lists_and_lines_packed_or_not_are_read_alike(tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_bytes(b"\n".join(sample(name) for name in SAMPLES) + b"\n\nnothing\n")
    with gzip.open(tmp_path / "list.json.gz", "wb") as stream:
        stream.write(json.dumps(list(SAMPLES.values())).encode())
    lines = list(read_results(tmp_path / "lines.jsonl"))
    listed = list(read_results(tmp_path / "list.json.gz"))
    assert [row.result for row in lines[:-1]] == [row.result for row in listed]
    assert isinstance(lines[-1].result, Garbage)
    assert lines[-1].where.endswith(f"lines.jsonl:{len(SAMPLES) + 2}")


def test_what_is_no_list_has_a_place(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text('[{"type": "dns"},\n oops]')
    with pytest.raises(ParseError, match=r"bad\.json:2:2: Expecting value"):
        list(read_results(tmp_path / "bad.json"))


def test_probes_and_sites_have_places(tmp_path: Path) -> None:
    probes = [
        {"id": 1, "asn_v4": 64500, "latitude": 50, "longitude": 8.5, "country_code": "DE"},
        {"id": 2, "asn_v4": None, "geometry": {"type": "Point", "coordinates": [139.7, 35.6]}},
        {"id": 3, "asn_v4": None, "latitude": None, "longitude": None},
    ]
    (tmp_path / "probes.json").write_text(json.dumps({"objects": probes}))
    read = read_probes(tmp_path / "probes.json")
    assert read[1] == VantagePoint("1", 64500, Location(50, 8.5), "DE")  # type: ignore[arg-type]
    assert read[2].location == Location(35.6, 139.7)
    assert read[3].network == "vantage point 3"
    (tmp_path / "sites.csv").write_text("pop,lat,lon\nfra,50.0,8.6\niad,91,0\n")
    with pytest.raises(ParseError, match=r"sites\.csv:3:5: lat: '91' is no latitude from -90 to 90"):
        read_sites(tmp_path / "sites.csv")


@pytest.mark.mission("C7", "I3", "M1")
def test_the_catchments_of_2015(cloudflare: Path) -> None:
    """The file's maker worked distances out on his own: ours are the same, result by result."""
    rows = list(read_results(cloudflare))
    found = sightings_of(rows, RULE)
    assert (len(found.rows), found.garbage, found.passed_over) == (2684, [], 0)
    for row, sighting in zip(rows, found.rows, strict=True):
        assert sighting.pop == row.value["dst_city"]
        place = sighting.vantage.location
        assert place is not None
        assert great_circle_km(place, found.sites[sighting.pop]) == pytest.approx(row.value["dist"], rel=2e-3, abs=1)
    summary = summarize(list(fold(found.rows).values()), found.sites, lambda _: True, np.random.default_rng(1))
    assert (summary.vantage_points, summary.networks, summary.unanswered) == (119, 60, 0)
    assert summary.rtt_ms is not None
    p50 = summary.rtt_ms.figures[0]
    assert p50.by_network is not None
    assert p50.naive is not None
    assert p50.by_network.low < p50.naive.low < p50.value < p50.naive.high < p50.by_network.high


def test_what_is_exported_is_what_the_twin_reads_of_the_results_themselves(cloudflare: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(catchments, [str(cloudflare), "--export", str(tmp_path / "c.csv"), "-o", "ndjson"])
    assert done.exit_code == 0
    (exported,) = read_table(tmp_path / "c.csv")
    own = read_atlas(cloudflare, AIRPORT, lambda _: 0).experiment
    assert exported.announced == own.announced
    assert exported.asn.tolist() == own.asn.tolist()
    assert np.mean(exported.pop == own.pop) >= 0.95  # some ASes are split: answers weigh there, probes here
