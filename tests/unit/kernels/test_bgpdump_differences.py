"""Where our lines differ from those of bgpdump: each difference, with an input of our own that shows it."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from anycastle.wire.bgp.message import Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.mrt.bgp4mp import BGPMessage
from anycastle.wire.mrt.codec import encode_content
from anycastle.wire.mrt.table_dump_v2 import RIB
from tests.unit.wire.mrt.mrt_values import CONTENTS, P4, V4, v4_attributes

AT_US = 1_700_000_000_000_000
PEERS = encode_content(AT_US, CONTENTS["peers"])
TAIL = "64500|IGP|192.0.2.1|0|0||NAG||"


def both(tmp_path: Path, octets: bytes) -> tuple[list[str], list[str]]:
    """Give the lines of bgpdump, and ours."""
    if shutil.which("bgpdump") is None:
        pytest.skip("bgpdump is not installed")
    path = tmp_path / "archive"
    path.write_bytes(octets)
    program = [sys.executable, "-c", "from anycastle.cli.main import main; main()", "mrt"]
    theirs, ours = (
        subprocess.run([*command, str(path)], capture_output=True, text=True, check=False).stdout.splitlines()
        for command in (["bgpdump", "-q", "-m"], program)
    )
    return theirs, ours


def changed(octets: bytes, before: bytes, after: bytes) -> bytes:
    assert octets.count(before) == 1
    return octets.replace(before, after)


def test_every_kind_of_record_that_bgpdump_reads(tmp_path: Path) -> None:
    other = {"rib_v4_multicast", "rib_generic", "rib_generic_add_path", "geo", "table_dump_v6"}
    other |= {"add_path_local", "add_path_as4_local"}
    octets = PEERS + b"".join(encode_content(AT_US, value) for name, value in CONTENTS.items() if name not in other)
    theirs, ours = both(tmp_path, octets)
    assert len(theirs) > 15
    assert ours == theirs


def test_bits_beyond_the_length_mean_nothing(tmp_path: Path) -> None:
    """They are cleared (RFC 4271 §4.3); bgpdump prints them."""
    message = encode_content(AT_US, BGPMessage(V4, Update(nlri=(NLRI(P4),), attributes=v4_attributes(64500))))
    theirs, ours = both(tmp_path, changed(message, b"\x18\xcb\x00\x71", b"\x17\xcb\x00\x71"))
    head = "BGP4MP|1700000000|A|192.0.2.1|64500|"
    assert (theirs, ours) == ([f"{head}203.0.113.0/23|{TAIL}"], [f"{head}203.0.112.0/23|{TAIL}"])


def test_multicast_and_generic_ribs_are_read(tmp_path: Path) -> None:
    rib = CONTENTS["rib_v4"]
    assert isinstance(rib, RIB)
    lines = [
        "TABLE_DUMP2|1700000000|B|192.0.2.1|64500|203.0.113.0/24|64500 64501|IGP|192.0.2.1|0|0||NAG||",
        "TABLE_DUMP2|1700000000|B|2001:db8::2|4200000001|203.0.113.0/24|64502|IGP|192.0.2.1|0|0||NAG||",
    ]
    assert both(tmp_path, PEERS + encode_content(AT_US, rib)) == (lines, lines)
    assert both(tmp_path, PEERS + encode_content(AT_US, replace(rib, safi=2))) == ([], lines)


def test_ipv6_routes_of_a_table_dump_with_four_octet_asns(tmp_path: Path) -> None:
    """Their addresses are IPv6 ones; bgpdump prints the first four octets as IPv4."""
    theirs, ours = both(tmp_path, encode_content(AT_US, CONTENTS["table_dump_v6"]))
    tail = "64500|IGP|2001:db8::1|0|0||NAG||"
    assert theirs == [f"TABLE_DUMP|1700000000|B|32.1.13.184|4200000001|32.1.13.184/48|{tail}"]
    assert ours == [f"TABLE_DUMP|1700000000|B|2001:db8::1|4200000001|2001:db8:1::/48|{tail}"]


def test_a_message_that_was_sent_with_add_path(tmp_path: Path) -> None:
    """It is one of the session with the peer; bgpdump takes the collector's own end for the peer."""
    theirs, ours = both(tmp_path, encode_content(AT_US, CONTENTS["add_path_as4_local"]))
    assert theirs[0] == "BGP4MP_AP|1700000000|W|192.0.2.254|64511|198.51.100.0/25|1"
    assert ours[0] == "BGP4MP_LOCAL_AP|1700000000|W|192.0.2.1|64500|198.51.100.0/25|1"


def test_the_first_of_a_repeated_attribute_counts(tmp_path: Path) -> None:
    """RFC 7606 §3 g; bgpdump ends with a failed assertion."""
    message = encode_content(AT_US, BGPMessage(V4, Update(nlri=(NLRI(P4),), attributes=v4_attributes(64500, med=7))))
    twice = changed(message, b"\x80\x04\x04\0\0\0\x07", b"\x40\x01\x01\x01\x80\x63\x00")  # ORIGIN EGP, and attribute 99
    theirs, ours = both(tmp_path, twice)
    assert (theirs, ours) == ([], [f"BGP4MP|1700000000|A|192.0.2.1|64500|203.0.113.0/24|{TAIL}"])


def test_a_peer_that_is_not_in_the_table_is_damage(tmp_path: Path) -> None:
    """bgpdump reads whatever lies behind its table."""
    rib = CONTENTS["rib_v4"]
    assert isinstance(rib, RIB)
    beyond = replace(rib, entries=(replace(rib.entries[0], peer_index=2),))
    _, ours = both(tmp_path, PEERS + encode_content(AT_US, beyond) + encode_content(AT_US, rib))
    assert len(ours) == 2
