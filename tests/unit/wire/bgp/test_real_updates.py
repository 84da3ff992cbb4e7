"""Every UPDATE of three real archives, decoded and encoded again."""

import gzip
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from struct import unpack_from

import pytest

from anycastle.wire.bgp.codec import CodecOptions, decode_message, encode_message
from anycastle.wire.bgp.errors import Action
from anycastle.wire.bgp.message import Update

REPOSITORY = Path(__file__).parents[4]
ARCHIVES = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "mrt"

INTERNAL = "updates.et-header.2015.gz"  # an iBGP session; read as an external one only for the faults


def _messages(path: Path) -> Iterator[tuple[bytes, bool]]:
    """Give each BGP4MP message (RFC 6396 §4.4), and whether its ASNs have four octets."""
    octets = gzip.decompress(path.read_bytes())
    position = 0
    while position + 12 <= len(octets):
        _, kind, subtype, length = unpack_from("!IHHI", octets, position)
        start, position = position + 12, position + 12 + length
        if kind not in (16, 17) or subtype not in (1, 4):
            continue
        start += 4 if kind == 17 else 0  # microseconds of BGP4MP_ET
        start += 8 if subtype == 4 else 4
        (afi,) = unpack_from("!H", octets, start + 2)
        yield octets[start + 4 + (8 if afi == 1 else 32) : position], subtype == 4


@pytest.mark.rfc("4271", "4.3")
@pytest.mark.rfc("4760", "3", "4")
@pytest.mark.rfc("7607", "2")
@pytest.mark.rfc("7606", "7.5", "7.9", "7.10")
@pytest.mark.parametrize(
    ("name", "ebgp", "updates", "same_octets", "faults"),
    [
        ("updates.20070211.0141.gz", True, 23394, 19171, {}),
        ("updates.20160811.1600.gz", True, 17216, 11721, {}),
        (INTERNAL, True, 5000, 0, {5: 5000, 9: 5000, 10: 5000}),
        (INTERNAL, False, 89679, 4, {2: 1, 7: 3}),  # AS 0 in a path and three aggregators
    ],
)
def test_archive(name: str, ebgp: bool, updates: int, same_octets: int, faults: dict[int, int]) -> None:
    path = ARCHIVES / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    seen: Counter[str] = Counter()
    found: Counter[int] = Counter()
    for octets, four in _messages(path):
        options = CodecOptions(four_octet_asn=four, ebgp=ebgp)
        message = decode_message(octets, options)
        if not isinstance(message, Update):
            continue
        if ebgp and name == INTERNAL and seen["updates"] == updates:
            break
        again = encode_message(message, options)
        seen["updates"] += 1
        found.update(fault.code for fault in message.errors)
        if message.action is Action.TREAT_AS_WITHDRAW:
            continue  # what was malformed is not written again
        if again == octets:
            seen["same octets"] += 1
        else:  # other order of attributes, unneeded extended lengths, or what was discarded
            assert decode_message(again, options) == replace(message, errors=())
    assert (seen["updates"], seen["same octets"], dict(found)) == (updates, same_octets, faults)
