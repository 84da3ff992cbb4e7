"""Messages built octet by octet, for tests: what a careless or hostile peer could send."""

from anycastle.wire.bgp.codec import CodecOptions, decode_message
from anycastle.wire.bgp.message import Update

FOUR = CodecOptions(four_octet_asn=True)
IBGP = CodecOptions(four_octet_asn=True, ebgp=False)
TWO = CodecOptions()

ORIGIN = bytes.fromhex("40010100")
AS_PATH = bytes.fromhex("400206 0201 0000fbf5")  # one sequence: 64501
NEXT_HOP = bytes.fromhex("400304 c0000201")
MANDATORY = ORIGIN + AS_PATH + NEXT_HOP
NLRI_OCTETS = bytes.fromhex("18c63364")  # 198.51.100.0/24
MP_REACH = bytes.fromhex("800e1c 0002 01 10 20010db8000000000000000000000001 00 30 20010db80001")


def message(kind: int, body: bytes) -> bytes:
    return b"\xff" * 16 + (19 + len(body)).to_bytes(2) + bytes((kind,)) + body


def attribute(flags: int, code: int, value: bytes) -> bytes:
    if len(value) > 255:
        return bytes((flags | 0x10, code)) + len(value).to_bytes(2) + value
    return bytes((flags, code, len(value))) + value


def update_octets(attributes: bytes = b"", nlri: bytes = b"", withdrawn: bytes = b"") -> bytes:
    body = len(withdrawn).to_bytes(2) + withdrawn + len(attributes).to_bytes(2) + attributes + nlri
    return message(2, body)


def decode_update(
    attributes: bytes = b"", nlri: bytes = b"", withdrawn: bytes = b"", options: CodecOptions = FOUR
) -> Update:
    decoded = decode_message(update_octets(attributes, nlri, withdrawn), options)
    assert isinstance(decoded, Update)
    return decoded


def announced_with(octets: bytes, options: CodecOptions = FOUR) -> Update:
    """Decode an announcement of one route with the mandatory attributes and these octets of one more."""
    mandatory = MANDATORY if options.four_octet_asn else ORIGIN + bytes.fromhex("4002040201fbf5") + NEXT_HOP
    return decode_update(mandatory + octets, NLRI_OCTETS, options=options)
