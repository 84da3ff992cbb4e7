"""Messages of RIS Live: real ones, odd ones, and ones that are none."""

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from anycastle.model.community import LargeCommunity, StandardCommunity
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.ris_live import (
    FRAME_BYTES_MAX,
    Garbage,
    Head,
    UpdateDetail,
    decode_head,
    decode_update,
    is_time,
    parse_path,
    subscription,
)

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "ris-live"


def lines(name: str) -> list[bytes]:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    return path.read_bytes().splitlines()


@pytest.mark.mission("I2")
def test_a_thousand_real_messages() -> None:
    kinds: Counter[str] = Counter()
    for octets in lines("1k-msgs.jsonl"):
        head = decode_head(octets)
        assert isinstance(head, Head)
        kinds[head.data.type] += 1
        plain = json.loads(octets)["data"]
        assert [each.prefixes for each in head.data.announcements] == [
            each["prefixes"] for each in plain.get("announcements", [])
        ]
        assert head.data.withdrawals == plain.get("withdrawals", [])
        detail = decode_update(octets)
        assert isinstance(detail, UpdateDetail)
        assert list(detail.path.asns) == _flat(plain.get("path", []))
        assert {
            (each.administrator, each.value) for each in detail.communities if isinstance(each, StandardCommunity)
        } == {tuple(each) for each in plain.get("community", [])}
    assert kinds == {"UPDATE": 994, "KEEPALIVE": 6}


def _flat(path: list[Any]) -> list[int]:
    return [asn for each in path for asn in (each if isinstance(each, list) else [each])]


@pytest.mark.mission("I2")
def test_odd_ones_that_were_really_sent() -> None:
    read = [decode_head(octets) for octets in lines("ris_live_samples.jsonl")]
    assert all(isinstance(each, Head) for each in read)
    assert [each.data.host for each in read if isinstance(each, Head)][4] == "rrc25.ripe.net"


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ([], ASPath()),
        ([1, 2, 3], ASPath.sequence(1, 2, 3)),
        (
            [1, [4, 5]],
            ASPath((Segment(SegmentKind.SEQUENCE, (1,)), Segment(SegmentKind.SET, (4, 5)))),  # type: ignore[arg-type]
        ),
        (
            [[4], 1],
            ASPath((Segment(SegmentKind.SET, (4,)), Segment(SegmentKind.SEQUENCE, (1,)))),  # type: ignore[arg-type]
        ),
        ([1, [], 2], ASPath.sequence(1, 2)),
    ],
)
def test_paths(members: list[Any], path: ASPath) -> None:
    found = parse_path(members)
    assert found.asns == path.asns
    assert str(found).replace("  ", " ") == str(path)


def test_what_json_does_not_carry_comes_from_the_raw_message() -> None:
    attributes = bytes.fromhex("400101004002060201000003e8400304cb007101c0230400000064c0200c0000fbf40000000100000002")
    body = bytes(2) + len(attributes).to_bytes(2) + attributes + bytes([24, 192, 0, 2])
    raw = b"\xff" * 16 + (19 + len(body)).to_bytes(2) + b"\x02" + body
    detail = decode_update(json.dumps({"data": {"path": [1000], "raw": raw.hex().upper()}}))
    assert isinstance(detail, UpdateDetail)
    assert (detail.only_to_customer, detail.communities) == (100, frozenset({LargeCommunity(64500, 1, 2)}))


@pytest.mark.parametrize("raw", ["", "zz", "ff", "ff" * 19, "FF" * 16 + "0013" + "04"])
def test_a_raw_message_that_cannot_be_read_takes_nothing_away(raw: str) -> None:
    detail = decode_update(json.dumps({"data": {"path": [1000], "raw": raw}}))
    assert isinstance(detail, UpdateDetail)
    assert detail.only_to_customer is None


@pytest.mark.parametrize(
    "octets",
    [b"", b"{", b"[]", b"5", b'{"data":{}}', b'{"type":1}', b"\xff", b"[" * 50_000, b" " * (FRAME_BYTES_MAX + 1),
     b'{"type":"ris_message","data":{"announcements":5}}', b'{"type":"ris_message","data":{"timestamp":"now"}}'],
)  # fmt: skip
def test_garbage(octets: bytes) -> None:
    assert isinstance(decode_head(octets), Garbage)


@pytest.mark.parametrize(
    "data",
    [{"path": 5}, {"path": [-1]}, {"path": [2**32]}, {"path": ["AS1x"]}, {"community": [[1]]},
     {"community": [[1, 65536]]}, {"community": [[1, 2, 2**32]]}],
)  # fmt: skip
def test_an_update_that_is_none(data: dict[str, Any]) -> None:
    assert isinstance(decode_update(json.dumps({"data": data})), Garbage)


def test_times() -> None:
    assert is_time(0.0)
    assert not any(map(is_time, (-1.0, 1e300, float("nan"), float("inf"))))


def test_the_subscription_asks_for_all_around_a_prefix() -> None:
    asked = json.loads(subscription("192.0.2.0/24"))
    assert asked["type"] == "ris_subscribe"
    assert asked["data"]["prefix"] == "192.0.2.0/24"
    assert asked["data"]["moreSpecific"]
    assert asked["data"]["lessSpecific"]
