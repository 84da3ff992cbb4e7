"""`anycastle mrt` on archives of our own making: every output, every filter, and what goes wrong."""

import csv
import gzip
import io
import json
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from anycastle.base.errors import WorldError
from anycastle.cli import mrt as cli
from anycastle.cli.main import cli as anycastle
from anycastle.cli.mrt import mrt
from anycastle.io.config.start import write_example
from anycastle.io.feeds.route_batches import RouteReader
from anycastle.model.asn import ASN
from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes import Aggregator
from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI, MPReach
from anycastle.wire.mrt.bgp4mp import BGPMessage, SessionEnds
from anycastle.wire.mrt.codec import encode_content
from tests.unit.wire.mrt.mrt_values import CONTENTS, NEXT_HOP_6, P6, V4, V6, attributes, v4_attributes

RICH = v4_attributes(
    64500, 64501, med=5, local_preference=100, atomic_aggregate=True, only_to_customer=ASN(64500),
    communities=(StandardCommunity(65535, 65281), StandardCommunity(64500, 7)),
    large_communities=(LargeCommunity(ASN(64500), 1, 2),), aggregator=Aggregator(ASN(64501), IPv4Address("192.0.2.9")),
)  # fmt: skip
FIRST, SECOND = parse_prefix("203.0.113.0/24"), parse_prefix("203.0.113.128/25")
MESSAGES = (
    Update(nlri=(NLRI(FIRST),), attributes=RICH),
    Update((NLRI(FIRST),), v4_attributes(64500, 64502), (NLRI(SECOND),)),
    Update(attributes=attributes(4200000001, mp_reach=MPReach(2, 1, NEXT_HOP_6, (NLRI(P6),)))),
)
STREAM = b"".join(
    encode_content(1_700_000_000_500_000 + 1_000_000 * second, content, microseconds=True)
    for second, content in enumerate(
        (
            CONTENTS["state"],
            BGPMessage(V4, MESSAGES[0]),
            BGPMessage(V4, MESSAGES[1]),
            BGPMessage(V6, MESSAGES[2]),
            BGPMessage(V4, replace(MESSAGES[0], nlri=(NLRI(FIRST, 9),)), add_path=True),
        )
    )
)
RICH_TEXT = "64500 64501|IGP|192.0.2.1|100|5|no-export 64500:7|AG|64501 192.0.2.9|"
LINES = [
    "BGP4MP_ET|1700000000.500000|STATE|192.0.2.1|64500|3|6",
    f"BGP4MP_ET|1700000001.500000|A|192.0.2.1|64500|203.0.113.0/24|{RICH_TEXT}",
    "BGP4MP_ET|1700000002.500000|W|192.0.2.1|64500|203.0.113.0/24",
    "BGP4MP_ET|1700000002.500000|A|192.0.2.1|64500|203.0.113.128/25|64500 64502|IGP|192.0.2.1|0|0||NAG||",
    "BGP4MP_ET|1700000003.500000|A|2001:db8::1|4200000001|2001:db8:1::/48|4200000001|IGP|2001:db8::1|0|0||NAG||",
    f"BGP4MP_ET_AP|1700000004.500000|A|192.0.2.1|64500|203.0.113.0/24|9|{RICH_TEXT}",
]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "updates.gz"
    path.write_bytes(gzip.compress(STREAM))
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(mrt, [str(argument) for argument in arguments])


@pytest.mark.mission("I2")
def test_bgpdump(archive: Path) -> None:
    result = call(archive)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == LINES


def test_several_files_in_their_order(archive: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(STREAM)
    assert call(plain, archive, plain).stdout.splitlines() == LINES * 3


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (["--prefix", "203.0.113.0/24"], [1, 2, 5]),
        (["--prefix", "203.0.113.0/24", "--more-specifics"], [1, 2, 3, 5]),
        (["--prefix", "0.0.0.0/0", "--more-specifics"], [1, 2, 3, 5]),
        (["--prefix", "2001:db8::/32", "--prefix", "203.0.113.128/25", "--more-specifics"], [3, 4]),
        (["--peer", "2001:db8::1"], [4]),
        (["--peer", "AS64500"], [0, 1, 2, 3, 5]),
        (["--peer", "64500", "--peer", "4200000001"], [0, 1, 2, 3, 4, 5]),
        (["--origin", "64502"], [3]),
        (["--origin", "64502", "--origin", "4200000001"], [3, 4]),
        (["--path", "^64500 6450[12]$"], [1, 3, 5]),
        (["--path", "64501", "--prefix", "203.0.113.128/25"], []),
        (["--from", "1700000002"], [2, 3, 4, 5]),
        (["--from", "2023-11-14T22:13:22Z", "--to", "1700000003.5"], [2, 3]),
        (["--to", "2023-11-14T22:13:21"], [0]),
    ],
)
def test_filters(archive: Path, options: list[str], shown: list[int]) -> None:
    result = call(archive, *options)
    assert result.stdout.splitlines() == [LINES[number] for number in shown]
    counted = dict(line.split() for line in call(archive, "-o", "count", *options).stdout.splitlines())
    assert sum(int(counted[name]) for name in ("announced", "withdrawn", "state_changes")) == len(shown)


def test_count(archive: Path) -> None:
    assert call(archive, "-o", "count").stdout == (
        "announced       4\nwithdrawn       1\nrib_routes      0\nstate_changes   1\npeers           2\n"
        "records         5\nunknown_records 0\ndamaged_records 0\n"
    )


ANNOUNCED = {
    "time": 1700000001.5,
    "kind": "announce",
    "peer": "192.0.2.1",
    "peer_asn": 64500,
    "prefix": "203.0.113.0/24",
    "as_path": "64500 64501",
    "origin": "igp",
    "next_hop": "192.0.2.1",
    "local_preference": 100,
    "med": 5,
    "communities": ["65535:65281", "64500:7"],
    "large_communities": ["64500:1:2"],
    "only_to_customer": 64500,
    "atomic_aggregate": True,
    "aggregator": "64501 192.0.2.9",
}


def test_ndjson(archive: Path) -> None:
    rows = [json.loads(line) for line in call(archive, "-o", "ndjson").stdout.splitlines()]
    head = {"time": 1700000000.5, "kind": "state", "peer": "192.0.2.1", "peer_asn": 64500}
    assert rows[0] == {**head, "old_state": 3, "new_state": 6}
    assert rows[1] == ANNOUNCED
    withdrawn = {**head, "time": 1700000002.5, "kind": "withdraw", "prefix": "203.0.113.0/24"}
    assert rows[2] == withdrawn
    assert (rows[4]["prefix"], rows[4]["next_hop"]) == ("2001:db8:1::/48", "2001:db8::1")
    assert rows[5] == {**ANNOUNCED, "time": 1700000004.5, "path_id": 9}


def test_csv(archive: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(call(archive, "-o", "csv").stdout)))
    assert rows[1] == {
        **{name: str(value) for name, value in ANNOUNCED.items()},
        "communities": "65535:65281 64500:7",
        "large_communities": "64500:1:2",
        "atomic_aggregate": "true",
        **dict.fromkeys(("path_id", "originated_at", "malformed", "old_state", "new_state"), ""),
    }
    assert (rows[0]["old_state"], rows[0]["prefix"]) == ("3", "")


def test_parquet(archive: Path) -> None:
    table = parquet.read_table(io.BytesIO(call(archive, "-o", "parquet").stdout_bytes))
    rows = table.to_pylist()
    assert len(rows) == len(LINES)
    assert rows[1].pop("time").timestamp() == ANNOUNCED["time"]
    assert {name: value for name, value in rows[1].items() if value is not None} == {
        name: value for name, value in ANNOUNCED.items() if name != "time"
    }
    assert (rows[0]["prefix"], rows[0]["old_state"], rows[0]["new_state"]) == (None, 3, 6)
    assert [row["path_id"] for row in rows] == [None] * 5 + [9]
    assert rows[2]["as_path"] is None
    nothing = parquet.read_table(io.BytesIO(call(archive, "-o", "parquet", "--to", "0").stdout_bytes))
    assert (nothing.num_rows, nothing.column_names) == (0, table.column_names)


def test_a_rib(tmp_path: Path) -> None:
    path = tmp_path / "rib"
    path.write_bytes(b"".join(encode_content(1_700_000_000_000_000, CONTENTS[name]) for name in ("peers", "rib_v4")))
    assert call(path).stdout.splitlines() == [
        "TABLE_DUMP2|1700000000|B|192.0.2.1|64500|203.0.113.0/24|64500 64501|IGP|192.0.2.1|0|0||NAG||",
        "TABLE_DUMP2|1700000000|B|2001:db8::2|4200000001|203.0.113.0/24|64502|IGP|192.0.2.1|0|0||NAG||",
    ]
    first = json.loads(call(path, "-o", "ndjson").stdout.splitlines()[0])
    assert (first["time"], first["kind"], first["originated_at"]) == (1_700_000_000, "rib", 1_600_000_000)


def test_the_longest_line(tmp_path: Path) -> None:
    """A path of two-octet ASNs and communities that fill a message, each with its longest text."""
    asns = [65001 + number % 500 for number in range(25_500)]
    segments = tuple(Segment(SegmentKind.SET, tuple(map(ASN, asns[at : at + 255]))) for at in range(0, 25_500, 255))
    value = v4_attributes(communities=(StandardCommunity(65535, 65282),) * 3000)
    update = Update(nlri=(NLRI(FIRST),) * 2, attributes=replace(value, as_path=ASPath(segments)))
    path = tmp_path / "updates"
    path.write_bytes(encode_content(0, BGPMessage(V4, update, four_octet_asn=False)) * 40)
    texts = " ".join("{" + ",".join(map(str, segment.asns)) + "}" for segment in segments)
    tail = f"{texts}|IGP|192.0.2.1|0|0|{' '.join(['no-advertise'] * 3000)}|NAG||"
    lines = call(path).stdout.splitlines()
    assert lines == [f"BGP4MP|0|A|192.0.2.1|64500|203.0.113.0/24|{tail}"] * 80


def test_damage_is_passed_over_and_named(tmp_path: Path) -> None:
    damaged = bytearray(encode_content(0, CONTENTS["message_as4"]))
    damaged[23] = 9
    path = tmp_path / "updates"
    path.write_bytes(STREAM + bytes(damaged) * 12 + STREAM[:-1])
    result = call(path)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == LINES + LINES[:-1]
    told = result.stderr.splitlines()
    assert told[0] == f"{path}: a record cannot be read (octet {len(STREAM)})"
    assert told[10:] == ["... and 3 more records that cannot be read"]
    counted = dict(line.split() for line in call(path, "-o", "count").stdout.splitlines())
    assert counted["damaged_records"] == "13"


def test_a_record_over_the_limit_is_passed_over(tmp_path: Path) -> None:
    oversized = b"\0\0\0\0\0\x10\0\1" + (17 << 20).to_bytes(4) + bytes(17 << 20)
    for name, octets in (
        ("plain", STREAM + oversized + STREAM),
        ("packed", gzip.compress(STREAM + oversized + STREAM)),
    ):
        path = tmp_path / name
        path.write_bytes(octets)
        result = call(path)
        assert result.stdout.splitlines() == LINES * 2
        assert f"a record of {17 << 20} octets is over the limit" in result.stderr
    for name, octets in (("plain", STREAM + oversized[:-9]), ("packed", gzip.compress(STREAM + oversized[:-9]))):
        path = tmp_path / name
        path.write_bytes(octets)
        result = call(path)
        assert result.stdout.splitlines() == LINES
        assert "over the limit" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prefix", "203.0.113.1/24"], "did you mean 203.0.113.0/24?"),
        (["--peer", "nobody"], "neither an address nor an AS number"),
        (["--peer", "192.0.2.300"], "is not an IPv4 or IPv6 address"),
        (["--origin", "AS"], "is not an AS number"),
        (["--path", "("], "is no regular expression"),
        (["--from", "yesterday"], "is no time such as"),
        (["--more-specifics"], "--more-specifics needs --prefix"),
        (["-o", "xml"], "is not one of"),
    ],
)
def test_wrong_usage(archive: Path, options: list[str], message: str) -> None:
    result = call(archive, *options)
    assert result.exit_code == 2
    assert message in re.sub(r"\s+", " ", result.stderr)


def test_what_is_not_installed_is_named(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llvmlite", None)
    result = call(archive)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: llvmlite is not installed; archives need `pip install 'anycastle[observe]'`\n"


COMMAND = (sys.executable, "-c", "from anycastle.cli.main import main; main()", "mrt")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, str(tmp_path / "nothing")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"anycastle: {tmp_path / 'nothing'}: No such file or directory\n")


@pytest.mark.parametrize("output", ["bgpdump", "ndjson", "csv"])
def test_a_reader_that_has_enough_ends_it_quietly(output: str, tmp_path: Path) -> None:
    path = tmp_path / "updates"
    path.write_bytes(STREAM * 3000)
    child = subprocess.Popen([*COMMAND, "-o", output, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline()
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    assert child.wait() == 0


def test_standard_input() -> None:
    done = subprocess.run([*COMMAND, "-"], input=gzip.compress(STREAM), capture_output=True, check=True)
    assert done.stdout.decode().splitlines() == LINES


def test_people_at_a_terminal_see_how_far_it_is(
    archive: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reader = RouteReader()
    monkeypatch.setattr(cli, "PROGRESS_INTERVAL_S", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert sum(batch.rows for batch in cli._with_progress(reader, reader.read([str(archive)]))) == len(LINES)
    assert capsys.readouterr().err == f"\r\x1b[K{archive}: 0 MB, 6 routes\r\x1b[K"


HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "mrt.md"


def how_to_archive() -> bytes:
    """Give the archive that the how-to page shows."""
    session = SessionEnds(IPv4Address("198.51.100.1"), ASN(64496), IPv4Address("198.51.100.2"), ASN(64511))
    whole, half = parse_prefix("192.0.2.0/24"), parse_prefix("192.0.2.128/25")
    hop, community = session.peer, StandardCommunity(64496, 100)
    first = attributes(64496, 64499, 64500, next_hop=hop, communities=(community,))
    updates = (
        (0, Update(nlri=(NLRI(whole),), attributes=first)),
        (61, Update(nlri=(NLRI(half),), attributes=attributes(64496, 64511, next_hop=hop))),
        (312, Update(withdrawn=(NLRI(half),))),
    )
    return b"".join(
        encode_content((1763640000 + second) * 1_000_000, BGPMessage(session, update)) for second, update in updates
    )


def test_what_the_how_to_page_shows(tmp_path: Path) -> None:
    archive = how_to_archive()
    (tmp_path / "updates.gz").write_bytes(gzip.compress(archive))
    (tmp_path / "cut").write_bytes(archive[:-20])
    page = HOW_TO.read_text(encoding="utf-8")
    shown = re.findall(r"^\$ anycastle mrt (.*)\n((?:(?!```|\$).+\n)*)", page, re.MULTILINE)
    assert len(shown) == 4
    for typed, answer in shown:
        command = [*COMMAND, *shlex.split(typed.partition(" > ")[0])]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert (done.stderr if " > " in typed else done.stdout) == answer


@pytest.mark.parametrize("octets", [b"this is a text and no archive of any kind\n" * 20, bytes(range(256)) * 4])
def test_a_file_that_is_no_archive_is_an_error_after_the_others_were_read(tmp_path: Path, octets: bytes) -> None:
    (tmp_path / "no.mrt").write_bytes(octets)
    write_example(tmp_path / "fleet")
    done = CliRunner().invoke(anycastle, ["mrt", str(tmp_path / "no.mrt"), "-o", "count"])
    assert isinstance(done.exception, WorldError)
    assert str(done.exception) == f"nothing in {tmp_path / 'no.mrt'} can be read as MRT"
    assert "damaged_records 1" in done.stdout
    done = CliRunner().invoke(
        anycastle, ["watch", "replay", "--fleet", str(tmp_path / "fleet"), str(tmp_path / "no.mrt")]
    )
    assert isinstance(done.exception, WorldError)
    assert "no.mrt can be read as MRT, or as lines of RIS Live" in str(done.exception)


def test_lines_of_which_none_is_ris_live_are_an_error_and_an_empty_file_is_none(tmp_path: Path) -> None:
    write_example(tmp_path / "fleet")
    (tmp_path / "no.jsonl").write_text('{"a": 1\n{"b": 2\n')
    (tmp_path / "empty").write_bytes(b"")
    replay = ["watch", "replay", "--fleet", str(tmp_path / "fleet")]
    assert isinstance(CliRunner().invoke(anycastle, [*replay, str(tmp_path / "no.jsonl")]).exception, WorldError)
    assert CliRunner().invoke(anycastle, ["mrt", str(tmp_path / "empty"), "-o", "count"]).exit_code == 0
