"""The streams of real routers: each message read, one stream held against what another decoder made of it."""

import contextlib
import gzip
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from anycastle.wire.bgp.as_path import SegmentKind
from anycastle.wire.bgp.capability import Capability, FourOctetASN, GracefulRestart, MultiProtocol, RouteRefresh
from anycastle.wire.bgp.codec import decode_message
from anycastle.wire.bgp.message import Open, Update
from anycastle.wire.bgp.nlri import NLRI
from anycastle.wire.bgp.options import CodecOptions
from anycastle.wire.bmp.codec import BMPError, Framer, decode_bmp, encode_bmp
from anycastle.wire.bmp.message import BMPMessage, Damaged, Initiation, PeerHeader, PeerUp, RIBView, RouteMonitoring

REPOSITORY = Path(__file__).parents[4]
STREAMS = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data")) / "bmp"
EXPECTED = "bmp_peers-with-different-caps_example"
NAMES = (
    "200-BMP-HUAWEI-locrib_instance__traffic-00",
    "204-BMP-CISCO-peer_down__traffic-00",
    "205-BMP-6wind-FRR-peer_down__traffic-00",
    "208-BMP-mem-leak-test__bmp-multi-sources-peer-up",
    "208-BMP-mem-leak-test__bmp-multi-sources-route-monitoring",
    EXPECTED,
)
OPTIONS = CodecOptions(four_octet_asn=True, extended_message=True, ebgp=False, confederation=True)


def stream(name: str) -> bytes:
    path = STREAMS / f"{name}.bmp.gz"
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    return gzip.decompress(path.read_bytes())


def raws(octets: bytes) -> list[bytes]:
    framer = Framer()
    framer.feed(octets)
    return list(framer)


def messages(octets: bytes) -> list[BMPMessage]:
    return [decode_bmp(raw) for raw in raws(octets)]


@pytest.mark.mission("C6", "I2")
@pytest.mark.parametrize("name", NAMES)
def test_every_message_is_read_and_comes_back(name: str) -> None:
    octets = stream(name)
    found = raws(octets)
    assert b"".join(found) == octets
    assert len(found) > 10
    for raw in found:
        message = decode_bmp(raw)
        assert not isinstance(message, Damaged), message
        assert decode_bmp(encode_bmp(message)) == message


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_every_offset_nothing_undeclared_is_raised(name: str) -> None:
    """Each distinct message shape, its length set to where it is cut, and the framer at each offset of the stream."""
    octets = stream(name)
    shapes = {(raw[5], len(raw)): raw for raw in raws(octets)}
    for raw in shapes.values():
        for length in range(6, len(raw)):
            decode_bmp(raw[:1] + length.to_bytes(4) + raw[5:length])
    framer = Framer()
    count = 0
    for at in range(min(len(octets), 20_000)):
        framer.feed(octets[at : at + 1])
        count += len(list(framer))
    assert count == len(raws(octets[: at + 1]))
    for start in range(1, 200):
        with contextlib.suppress(BMPError):
            messages(octets[start : start + 5000])


@pytest.mark.rfc("9069", "4.1")
def test_a_routers_own_best_routes_are_told_apart() -> None:
    found = messages(stream("200-BMP-HUAWEI-locrib_instance__traffic-00"))
    views = {each.peer.view for each in found if isinstance(each, RouteMonitoring)}
    assert RIBView.LOC_RIB in views


def expected() -> Iterator[dict[str, Any]]:
    path = STREAMS / f"{EXPECTED}.expected.json.gz"
    with gzip.open(path, "rt") as lines:
        for line in lines:
            yield json.loads(line)["V3"]


@pytest.mark.mission("C6")
def test_one_stream_is_what_another_decoder_made_of_it() -> None:
    found = messages(stream(EXPECTED))
    wanted = list(expected())
    assert len(found) == len(wanted) == 192
    routes = 0
    for message, want in zip(found, wanted, strict=True):
        ((kind, told),) = want.items()
        match message:
            case Initiation():
                assert kind == "Initiation"
                names = {1: "SystemDescription", 2: "SystemName"}
                assert [{names[tlv.type]: tlv.text} for tlv in message.information] == told["information"]
            case PeerUp():
                assert kind == "PeerUpNotification"
                expect_header(message.peer, told["peer_header"])
                ports = (told["local_address"], told["local_port"], told["remote_port"])
                assert (str(message.local), message.local_port, message.remote_port) == ports
                assert isinstance(message.sent, Open)
                assert isinstance(message.received, Open)
                expect_open(message.sent, told["sent_message"]["Open"])
                expect_open(message.received, told["received_message"]["Open"])
                assert (message.information == ()) is (told["information"] == [])
            case RouteMonitoring():
                assert kind == "RouteMonitoring"
                expect_header(message.peer, told["peer_header"])
                update = decode_message(message.update, OPTIONS)
                assert isinstance(update, Update)
                routes += expect_update(update, told["update_message"]["Update"])
            case _:
                pytest.fail(f"{message} where {kind} is expected")
    assert routes > 0


def expect_header(header: PeerHeader, told: dict[str, Any]) -> None:
    ((kind, flags),) = told["peer_type"].items()
    assert kind == {0: "GlobalInstancePeer", 1: "RdInstancePeer", 3: "LocRibInstancePeer"}[header.type]
    if kind != "LocRibInstancePeer":
        assert (header.view & 1, header.view >> 1) == (flags["post_policy"], flags["adj_rib_out"])
        assert (header.ipv6, header.two_octet_path) == (flags["ipv6"], flags["asn2"])
        assert str(header.address) == told["address"]
    assert (header.asn, str(header.identifier)) == (told["peer_as"], told["bgp_id"])
    at = datetime.fromtimestamp(header.at_us // 1_000_000, UTC).replace(microsecond=header.at_us % 1_000_000)
    assert at == datetime.fromisoformat(told["timestamp"])
    assert any(header.distinguisher) is (told["rd"] is not None)


def expect_open(found: Open, told: dict[str, Any]) -> None:
    assert (found.version, found.asn, found.hold_time_s) == (told["version"], told["my_as"], told["hold_time"])
    assert str(found.identifier) == told["bgp_id"]
    capabilities = [each for parameter in told["params"] for each in parameter["Capabilities"]]
    assert len(found.capabilities) == len(capabilities)
    for capability, want in zip(found.capabilities, capabilities, strict=True):
        expect_capability(capability, want)


def expect_capability(capability: Capability, want: Any) -> None:
    match capability:
        case RouteRefresh():
            assert want == "RouteRefresh"
        case FourOctetASN(asn):
            assert want == {"FourOctetAs": {"asn4": asn}}
        case MultiProtocol():
            assert list(want) == ["MultiProtocolExtensions"]
        case GracefulRestart():
            restart = want["GracefulRestartCapability"]
            assert capability.restart_time_s == restart["time"]
            assert len(capability.families) == len(restart["address_families"])
        case _:
            assert want != "RouteRefresh"


def expect_update(update: Update, told: dict[str, Any]) -> int:
    """Compare what both know; give the number of unicast routes."""
    assert [shown(each) for each in update.withdrawn] == told["withdrawn_routes"]
    assert [shown(each) for each in update.nlri] == told["nlri"]
    wanted = {key: value for each in told["path_attributes"] for key, value in each["value"].items()}
    attributes = update.attributes
    assert (attributes.origin is None) is ("Origin" not in wanted)
    if attributes.origin is not None:
        assert attributes.origin.name == wanted["Origin"].upper()
    if attributes.as_path is not None:
        (segments,) = wanted["AsPath"].values()
        kinds = {"AsSequence": SegmentKind.SEQUENCE, "AsSet": SegmentKind.SET}
        assert [(each.kind, each.asns) for each in attributes.as_path.segments] == [
            (kinds[each["segment_type"]], tuple(each["as_numbers"])) for each in segments
        ]
    if attributes.next_hop is not None:
        assert str(attributes.next_hop) == wanted["NextHop"]["next_hop"]
    if attributes.med is not None:
        assert attributes.med == wanted["MultiExitDiscriminator"]["metric"]
    if attributes.local_preference is not None:
        assert attributes.local_preference == wanted["LocalPreference"]["metric"]
    assert (attributes.mp_reach is None) is ("MpReach" not in wanted)
    assert (attributes.mp_unreach is None) is ("MpUnreach" not in wanted)
    return len(update.announced_nlri) + len(update.withdrawn_nlri)


def shown(nlri: NLRI) -> dict[str, Any]:
    return {"path_id": nlri.path_id, "network": str(nlri.prefix)}
