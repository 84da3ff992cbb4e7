"""Files of sites: what is read, and what is refused."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.placement.sites import read_sites
from anycastle.model.asn import ASN
from anycastle.model.pop import Location
from anycastle.twin.deployment import Session, Standing
from anycastle.twin.placement import Site

YAML = """\
sites:
  - name: sin1
    city: Singapore
    latitude: 1.35
    longitude: 103.82
    upstreams: [2914, AS3491, 7473/peer]
    cost_per_month: 2600
    cost_per_mbps: 0.45
    setup_cost: 18000
  - {name: fra1, latitude: 50.11, longitude: 8.68}
"""
CSV = """\
name,city,lat,lon,upstreams,cost_per_month,cost_per_mbps,setup_cost
sin1,Singapore,1.35,103.82,2914 AS3491 7473/peer,2600,0.45,18000
fra1,,50.11,8.68,,,,
"""


@pytest.mark.mission("C18")
@pytest.mark.parametrize(("name", "text"), [("sites.yaml", YAML), ("sites.csv", CSV)])
def test_sites(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    sessions = (Session(ASN(2914)), Session(ASN(3491)), Session(ASN(7473), Standing.PEER))
    assert read_sites(tmp_path / name) == (
        Site("sin1", "Singapore", Location(1.35, 103.82), sessions, 2600, 0.45, 18000),
        Site("fra1", "fra1", Location(50.11, 8.68)),
    )


def test_what_is_refused(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("name,lat,lon,upstreams\na b,91,0,x\n")
    with pytest.raises(ParseError) as raised:
        read_sites(path)
    told = str(raised.value)
    assert "sites.csv:2:1: name: 'a b' is no name" in told
    assert "sites.csv:2:5: lat: '91' is no latitude from -90 to 90" in told
    assert "sites.csv:2:10: upstreams:" in told


def test_a_name_stands_once(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("name,lat,lon\na,0,0\nb,0,0\na,1,1\n")
    with pytest.raises(ParseError, match=r"sites.csv:4:1: name: 'a' stands in line 2 already"):
        read_sites(path)


def test_only_peer_stands_behind_a_slash(tmp_path):
    path = tmp_path / "sites.csv"
    path.write_text("name,lat,lon,upstreams\na,0,0,1/customer\n")
    with pytest.raises(ParseError, match="after / only peer can stand"):
        read_sites(path)
