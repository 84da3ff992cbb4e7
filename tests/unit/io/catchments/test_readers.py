"""Readers of catchments on small files of our own, and what they say of files that are not as they should be."""

import gzip
import json

import pytest

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.catchments.atlas import read_atlas
from anycastle.io.catchments.collector_paths import parse_collector_paths
from anycastle.io.catchments.peering import PEERING_ASN, read_peering
from anycastle.io.catchments.sources import Reading, read_rounds, read_sources
from anycastle.io.catchments.table import parse_table
from anycastle.io.catchments.verfploeter import parse_name, read_verfploeter
from anycastle.model.asn import ASN

PINGS = "dp_pings_est_as_to_mux_catchment.json"
HEADING = (
    "task_id,client_id,transmit_time,receive_time,send_receive_time_diff,source_address,destination_address,"
    "meta_source_address,meta_destination_address,ttl,source_address_country,source_address_asn\n"
)


def _peering(root, name="7_ams_lhr", catchment=None, suffix=".gz"):
    folder = root / name
    folder.mkdir(parents=True)
    text = json.dumps(catchment or {"10": ["ams"], "20": ["lhr"], "30": ["ams", "lhr"]})
    path = folder / (PINGS + suffix)
    path.write_bytes(gzip.compress(text.encode()) if suffix else text.encode())
    (folder / "dp_pings_per_asn.json").write_text('{"10": 3}')
    (folder / "ams_bgpstream_paths.csv").write_text("rrc00\t10\t10,20,20,47065,61574,47065\nrrc00\t11\t11,12\n")
    (folder / "ams_lhr_bgpstream_paths.csv").write_text("rrc00\t10\t10,40,47065\n")
    return folder


def test_a_peering_folder(tmp_path):
    _peering(tmp_path)
    (tmp_path / "peers.json").write_text(
        json.dumps(
            [
                {"BGP Mux": "ams", "Peer ASN": 20, "IP version": "IPv4", "Transit": "True", "Route Server": "False"},
                {"BGP Mux": "ams", "Peer ASN": 21, "IP version": "IPv4", "Transit": "False", "Route Server": "True"},
                {"BGP Mux": "ams", "Peer ASN": 22, "IP version": "IPv6", "Transit": "False", "Route Server": "False"},
            ]
        )
    )
    found = read_peering(tmp_path)
    (experiment,) = found.experiments
    assert experiment.announced == ("ams", "lhr")
    assert experiment.asn.tolist() == [10, 20]  # AS30's answers disagreed
    assert experiment.weight.tolist() == [3.0, 1.0]
    assert [each.path for each in found.paths] == [(10, 20, 20)]  # the pair's own paths are its catchment
    assert [(each.pop, each.asn, each.transit) for each in found.neighbours] == [("ams", 20, True)]


def test_one_experiments_folder_and_sites_left_out(tmp_path):
    folder = _peering(tmp_path, suffix="")
    assert len(read_peering(folder).experiments) == 1
    with pytest.raises(WorldError, match="no experiment"):
        read_peering(tmp_path, leave_out=("lhr",))
    with pytest.raises(WorldError, match="is no folder"):
        read_peering(tmp_path / "absent")


@pytest.mark.parametrize(
    ("catchment", "words"),
    [
        ({"x": ["ams"]}, "'x' is no AS number"),
        ({"1": ["fra"]}, "'fra' was not announced; those were ams, lhr"),
        ({"1": [5]}, "is no list of sites"),
    ],
)
def test_a_bad_catchment_names_file_and_key(tmp_path, catchment, words):
    _peering(tmp_path, catchment=catchment)
    with pytest.raises(ParseError, match=words) as caught:
        read_peering(tmp_path)
    assert PINGS in str(caught.value)


def test_json_that_is_none_names_line_and_column(tmp_path):
    folder = _peering(tmp_path, suffix="")
    (folder / PINGS).write_text('{"1":\n ]')
    with pytest.raises(ParseError, match=r":2:2: "):
        read_peering(tmp_path)
    (folder / PINGS).write_text("[]")
    with pytest.raises(ParseError, match="not list"):
        read_peering(tmp_path)


def test_collector_paths():
    text = "# comment\nrrc00\t1\t1 {2,3} 47065\nrrc00\t1\t47065 9\n"
    (only,) = parse_collector_paths(text, "f", ["a"], PEERING_ASN)
    assert only.path == (ASN(1), ASN(2), ASN(3))
    with pytest.raises(ParseError, match=r"^f:2: 2 fields"):
        parse_collector_paths("rrc00\t1\t1\nrrc00\t1\n", "f", ["a"], PEERING_ASN)
    with pytest.raises(ParseError, match=r"^f:1: 'x' in the path"):
        parse_collector_paths("rrc00\t1\t1 x\n", "f", ["a"], PEERING_ASN)


def test_a_table_has_an_experiment_for_each_set_and_configuration():
    text = "announced,pop,asn,weight,configuration\na+b,a,AS1,2,\nb a,b,2,,\na+b,b,1,1,2xA\n"
    plain, prepended = parse_table(text, "t.csv")
    assert plain.announced == prepended.announced == ("a", "b")
    assert plain.asn.tolist() == [1, 2]
    assert plain.weight.tolist() == [2.0, 1.0]
    assert prepended.configuration == "2xA"


def test_a_table_of_prefixes_needs_the_ranges():
    text = "announced,pop,prefix\na+b,a,1.2.3.0/24\na+b,b,9.0.0.0/8\n"
    (found,) = parse_table(text, "t.csv", lambda address: 64500 if address >> 24 == 1 else 0)
    assert found.asn.tolist() == [64500]  # nobody holds 9.0.0.0
    with pytest.raises(ParseError, match=r"t.csv:2: a prefix needs the ranges"):
        parse_table(text, "t.csv")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t:1: the heading needs"),
        ("announced,pop\na,a\n", "t:1: the heading needs"),
        ("announced,pop,asn,colour\n", "t:1: no column is called 'colour'"),
        ("announced,pop,asn\na+b,c,1\n", "t:2: 'c' was not announced; those were a, b"),
        ("announced,pop,asn\na+b,a,x\n", "t:2: 'x' is not an AS number"),
        ("announced,pop,asn\na+b,a\n", "t:2: the line has not as many fields"),
        ("announced,pop,asn,weight\na+b,a,1,-3\n", "t:2: a weight is above 0"),
        ("announced,pop,asn\na+b,a,\n", "t:2: the line names neither an AS nor a prefix"),
        ("announced,pop,asn,weight\na+b,a,1,z\n", "t:2: 'z' is no weight"),
    ],
)
def test_a_bad_table_names_file_and_line(text, words):
    with pytest.raises(ParseError) as caught:
        parse_table(text, "t")
    assert str(caught.value).startswith(words)


def test_a_verfploeter_round(tmp_path):
    path = tmp_path / "2xLHR__uk-lnd+fr-par__2022-03-02-22h50m.csv.gz"
    rows = (
        "0,fr-par-anycast01,1,2,10.5,1.2.3.4,0.0.0.0,0.0.0.0,1.2.3.4,48,FR,64500\n"
        "0,uk-lnd-anycast02,1,2,20.5,1.2.4.4,0.0.0.0,0.0.0.0,1.2.4.4,48,GB,\n"
        "0,uk-lnd-anycast02,1,2,20.5,1.2.3.9,0.0.0.0,0.0.0.0,1.2.3.9,48,GB,64500\n"
    )
    path.write_bytes(gzip.compress((HEADING + rows).encode()))
    found = read_verfploeter(path)
    assert found.announced == ("fr-par", "uk-lnd")
    assert found.configuration == "2xLHR"
    assert found.block.tolist() == [0x010203, 0x010204]
    assert found.site.tolist() == [0, 1]
    assert found.asn.tolist() == [64500, 0]
    assert found.shares.tolist() == [0.5, 0.5]
    assert read_rounds([tmp_path])[0].configuration == "2xLHR"


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("0,us-mia-anycast01,1,2,1,1.2.3.4,,,,,,\n", ":2: 'us-mia' is not announced"),
        ("0,fr-par-anycast01,1,2,1,1.2.3.400,,,,,,\n", ":2: '1.2.3.400' is no IPv4 address"),
        ("0,fr-par-anycast01,1,2,fast,1.2.3.4,,,,,,\n", ":2: could not convert"),
        ("0,fr-par-anycast01,1,2,1,1.2.3.4,,,,,,99999999999\n", ":2: 99999999999 is no AS number"),
    ],
)
def test_a_bad_round_names_file_and_line(tmp_path, row, words):
    path = tmp_path / "baseline__fr-par__today.csv"
    path.write_text(HEADING + row)
    with pytest.raises(ParseError, match=words):
        read_verfploeter(path)


def test_a_rounds_name_and_heading(tmp_path):
    with pytest.raises(ParseError, match="a round's name is"):
        parse_name("baseline.csv", "f")
    path = tmp_path / "baseline__a__b.csv"
    path.write_text("x\n")
    with pytest.raises(ParseError, match=":1: the heading has no client_id"):
        read_verfploeter(path)
    with pytest.raises(WorldError, match="no round"):
        read_rounds([])


def test_atlas_dns_results(tmp_path):
    path = tmp_path / "chaos.jsonl"
    rows = [
        {"from": "1.2.3.4", "result": {"answers": [{"TYPE": "TXT", "RDATA": ["ns1.ams.example"]}]}},
        {"asn_v4": 20, "result": {"answers": [{"TYPE": "TXT", "RDATA": "ns1.lhr.example"}]}},
        {"asn_v4": 30, "result": {"abuf": "AAAAAA=="}},
        {"asn_v4": 40, "error": {"timeout": 5000}},
        {"from": "2001:db8::1", "result": {"answers": [{"TYPE": "TXT", "RDATA": "ns1.ams.example"}]}},
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    found = read_atlas(path, r"\.([a-z]{3})\.", lambda address: 10 if address == 0x01020304 else 0)
    assert found.experiment.announced == ("ams", "lhr")
    assert found.experiment.asn.tolist() == [10, 20]
    assert found.left_out == 3
    path.write_text(json.dumps(rows))  # the same as one list
    assert len(read_atlas(path, r"\.([a-z]{3})\.", lambda _: 0).experiment) == 1


def test_a_reply_in_octets_is_read(tmp_path):
    import base64

    import dns.message
    import dns.rrset

    reply = dns.message.make_response(dns.message.make_query("hostname.bind.", "TXT", "CH"))
    reply.answer.append(dns.rrset.from_text("hostname.bind.", 0, "CH", "TXT", '"ns2.fra.example"'))
    octets = base64.b64encode(reply.to_wire()).decode()
    path = tmp_path / "one.json"
    path.write_text(json.dumps([{"asn_v4": 7, "result": {"abuf": octets}}]))
    assert read_atlas(path, r"\.([a-z]{3})\.", lambda _: 0).experiment.announced == ("fra",)


def test_bad_atlas_results(tmp_path):
    path = tmp_path / "bad.jsonl"
    path.write_text("{}\n[1]\n")
    with pytest.raises(ParseError, match=":2: a result is a JSON object"):
        read_atlas(path, "(x)", lambda _: 0)
    path.write_text("{}\n")
    with pytest.raises(ParseError, match="no result has a server's name"):
        read_atlas(path, "(x)", lambda _: 0)
    with pytest.raises(ParseError, match="has 0 groups"):
        read_atlas(path, "x", lambda _: 0)
    with pytest.raises(ParseError, match="is no pattern"):
        read_atlas(path, "(", lambda _: 0)


def test_sources_are_read_by_their_kind(tmp_path):
    _peering(tmp_path / "peering")
    table = tmp_path / "t.csv"
    table.write_text("announced,pop,asn\na+b,a,1\nc+d,c,1\n")
    found = read_sources([tmp_path / "peering", table], Reading(leave_out=("c",)))
    assert [each.name for each in found.experiments] == ["ams+lhr", "a+b"]
    with pytest.raises(ParseError, match=r"no reader for \.txt"):
        read_sources([_text(tmp_path / "x.txt")], Reading())
    with pytest.raises(WorldError, match="there is no file"):
        read_sources([tmp_path / "absent.csv"], Reading())
    broken = tmp_path / "t.csv.gz"
    broken.write_bytes(gzip.compress(b"announced")[:-4])
    with pytest.raises(WorldError, match=r"t\.csv\.gz"):
        read_sources([broken], Reading())
    broken.write_bytes(gzip.compress(b"\xff\xfe"))
    with pytest.raises(ParseError, match="octet 0 is not UTF-8"):
        read_sources([broken], Reading())


def _text(path):
    path.write_text("x")
    return path
