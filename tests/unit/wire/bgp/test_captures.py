"""Every capture: decoded whole, octet by octet, cut at every offset, and encoded again.

A capture is a small text file: its origin, what the peers had agreed on, the octets, and the value they stand for.
`encoded` is there where encoding gives other octets of the same meaning: the daemon orders attributes otherwise than
RFC 7606 §5.1 asks, spends an extended length on a short attribute, or a parameter on each capability.
"""

from contextlib import suppress
from pathlib import Path

import pytest

from anycastle.wire.bgp.codec import CodecOptions, Framer, decode_message, encode_message
from anycastle.wire.bgp.errors import NotificationError

CAPTURES = sorted((Path(__file__).parent / "captures").glob("*.txt"))


def _load(path: Path) -> tuple[bytes, CodecOptions, str, bytes]:
    fields = dict(line.split(": ", 1) for line in path.read_text().splitlines())
    words = fields.get("options", "").split()
    families = frozenset(
        (int(afi), int(safi)) for word in words if word[:9] == "add_path=" for afi, safi in [word[9:].split("/")]
    )
    options = CodecOptions(
        four_octet_asn="four_octet_asn" in words,
        extended_message="extended_message" in words,
        add_path_receive=families,
        add_path_send=families,
        ebgp="ibgp" not in words,
    )
    return (
        bytes.fromhex(fields["octets"]),
        options,
        fields["value"],
        bytes.fromhex(fields.get("encoded", fields["octets"])),
    )


def test_there_are_captures_of_every_daemon() -> None:
    names = {path.name.split("_")[0] for path in CAPTURES}
    assert names >= {"bird", "frr", "gobgp", "openbgpd", "exabgp", "rfc"}


@pytest.mark.rfc("4271", "4.1", "4.2", "4.3", "4.4", "4.5")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_capture_whole_and_back(path: Path) -> None:
    octets, options, value, encoded = _load(path)
    decoded = decode_message(octets, options)
    assert repr(decoded) == value
    assert encode_message(decoded, options).hex() == encoded.hex()
    assert decode_message(encoded, options) == decoded


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_capture_octet_by_octet(path: Path) -> None:
    octets, options, _, _ = _load(path)
    framer = Framer(options)
    given = []
    for index in range(len(octets)):
        framer.feed(octets[index : index + 1])
        given += list(framer)
        assert len(given) == (index == len(octets) - 1)
    assert given == [octets]


@pytest.mark.rfc("4271", "6.1")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_capture_cut_at_every_offset(path: Path) -> None:
    octets, options, _, _ = _load(path)
    for end in range(len(octets)):
        with pytest.raises(NotificationError):
            decode_message(octets[:end], options)


@pytest.mark.rfc("7606", "4", "5.3")
@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_capture_cut_with_a_length_that_agrees(path: Path) -> None:
    octets, options, _, _ = _load(path)
    whole = decode_message(octets, options)
    for end in range(19, len(octets)):
        cut = octets[:16] + end.to_bytes(2) + octets[18:end]
        with suppress(NotificationError):
            assert decode_message(cut, options) != whole
