"""One target for each message family: takes any octets and lets nothing out but what is declared.

The first octet chooses what the peers had agreed on, so that one corpus covers every reading.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType

from anycastle.base.errors import MisuseError, ParseError
from anycastle.base.ports import Instant, Now, Timestamp
from anycastle.model.asn import ASN
from anycastle.model.irr import SetName
from anycastle.model.prefix import parse_prefix
from anycastle.session.irr_client import IRRClient
from anycastle.session.link_agent import AgentFacts, LinkAgent
from anycastle.session.link_controller import ControllerSession
from anycastle.session.rtr_client import RTRClient
from anycastle.watch.bmp import BMPReader
from anycastle.watch.engine import WatchEngine
from anycastle.watch.intent import Intent, WatchedPrefix
from anycastle.watch.irr.database import Database
from anycastle.watch.ris_live import RISLiveReader
from anycastle.wire.atlas.parse import parse_result, plain
from anycastle.wire.atlas.result import Garbage
from anycastle.wire.bgp.codec import CodecOptions, Framer, decode_message, encode_message
from anycastle.wire.bgp.errors import Malformed, NotificationError
from anycastle.wire.bgp.flowspec import decode_flowspec, encode_flowspec
from anycastle.wire.bgp.message import Notification, Update
from anycastle.wire.bgp.notification import format_notification
from anycastle.wire.bmp.codec import BMPError, decode_bmp, encode_bmp
from anycastle.wire.bmp.codec import Framer as BMPFramer
from anycastle.wire.dns import NoReply, decode_reply
from anycastle.wire.irr.objects import RegistryObject, read_object, write_object
from anycastle.wire.irr.query import Question, SetMembers, encode_query, parse_query
from anycastle.wire.irr.reply import IRRError, Reply, ReplyFramer, encode_reply
from anycastle.wire.irr.rpsl import Damage, format_rpsl, parse_rpsl
from anycastle.wire.link import codec as link
from anycastle.wire.link.message import Hello, Message, Welcome
from anycastle.wire.mrt.codec import decode_records
from anycastle.wire.mrt.record import Damaged, Unknown
from anycastle.wire.rtr.codec import Framer as RTRFramer
from anycastle.wire.rtr.codec import RTRError, decode_pdu, encode_pdu
from tests.unit.kernels import checked

_FAMILIES = frozenset({(1, 1), (2, 1)})


def _options(choice: int) -> CodecOptions:
    families = _FAMILIES if choice & 2 else frozenset()
    return CodecOptions(
        four_octet_asn=bool(choice & 1),
        add_path_receive=families,
        add_path_send=families,
        extended_message=bool(choice & 4),
        ebgp=not choice & 8,
        confederation=bool(choice & 16),
        first_asn=ASN(64501) if choice & 32 else None,
    )


def _message(kind: int, octets: bytes) -> None:
    options = _options(octets[0] if octets else 0)
    body = octets[1:]
    whole = b"\xff" * 16 + min(19 + len(body), 0xFFFF).to_bytes(2) + bytes((kind,)) + body
    try:
        message = decode_message(whole, options)
    except NotificationError as error:
        format_notification(Notification(error.code, error.subcode, error.data))
        return
    if isinstance(message, Notification):
        format_notification(message)
    if isinstance(message, Update):
        _update(message, options)
    else:
        assert decode_message(encode_message(message, options), options) == message


def _update(message: Update, options: CodecOptions) -> None:
    assert not (message.announced_nlri and message.action is not None and message.action > 1)
    if message.errors:
        with suppress(MisuseError):
            encode_message(message, options)
        return
    if not options.four_octet_asn:  # a path of two octets may come to hold more than it came with
        with suppress(MisuseError):
            encode_message(message, options)
        return
    assert decode_message(encode_message(message, options), options) == message


def fuzz_open(octets: bytes) -> None:
    _message(1, octets)


def fuzz_update(octets: bytes) -> None:
    _message(2, octets)


def fuzz_notification(octets: bytes) -> None:
    _message(3, octets)


def fuzz_refresh(octets: bytes) -> None:
    _message(5, octets)


def fuzz_framer(octets: bytes) -> None:
    """Feed the stream in two parts and whole; both give the same messages."""
    options = _options(octets[0] if octets else 0)
    stream = octets[2:]
    cut = octets[1] if len(octets) > 1 else 0
    assert _framed((stream[:cut], stream[cut:]), options) == _framed((stream,), options)


def _framed(parts: tuple[bytes, ...], options: CodecOptions) -> list[bytes]:
    framer = Framer(options)
    messages: list[bytes] = []
    with suppress(NotificationError):
        for part in parts:
            framer.feed(part)
            messages.extend(framer)
    for message in messages:
        with suppress(NotificationError):
            decode_message(message, options)
    return messages


def fuzz_flowspec(octets: bytes) -> None:
    afi = 1 + (octets[0] & 1 if octets else 0)
    rules = decode_flowspec(octets[1:], afi)
    if not isinstance(rules, Malformed):
        assert decode_flowspec(encode_flowspec(rules), afi) == rules
        assert all(map(str, rules))


def fuzz_rtr(octets: bytes) -> None:
    """Feed a client that has asked for everything; then decode and encode each PDU."""
    client = RTRClient()
    client.start(Instant(0.0))
    client.connected(Instant(0.0))
    client.received(octets, Instant(0.0))
    framer = RTRFramer()
    framer.feed(octets)
    with suppress(RTRError):
        for raw in framer:
            version, pdu = decode_pdu(raw)
            assert decode_pdu(encode_pdu(pdu, version)) == (version, pdu)


_WATCHED = (
    WatchedPrefix(parse_prefix("192.0.2.0/24"), frozenset({ASN(64500)}), frozenset({ASN(64496)})),
    WatchedPrefix(parse_prefix("2001:db8:53::/48"), frozenset({ASN(64500)})),
)


def fuzz_ris_live(octets: bytes) -> None:
    """Each line is a message; what it says goes all the way to findings."""
    engine = WatchEngine(Intent(_WATCHED, frozenset({ASN(64500)})))
    reader = RISLiveReader(engine.table)
    for line in octets.split(b"\n"):
        for fact in reader.read(line):
            for event in engine.take(fact):
                assert event.body
        assert reader.speaker is None or reader.speaker.asn >= 0
    assert reader.garbage <= reader.messages + octets.count(b'"')


def fuzz_mrt(octets: bytes) -> None:
    """Read an archive in two parts and whole, then as the kernels do, with every access to memory checked."""
    cut = octets[0] if octets else 0
    stream = octets[1 : 1 + checked.LONGEST]
    records = list(decode_records([stream]))
    assert repr(records) == repr(list(decode_records([stream[:cut], stream[cut:]])))  # NaN differs from itself
    for record in records:
        if isinstance(record.value, Damaged | Unknown):
            assert str(record.value)
    decoded = checked.decode(stream)
    assert decoded.text.count(b"\n") == len(decoded.columns[0])


def fuzz_bmp(octets: bytes) -> None:
    """Read a router's stream all the way to findings; then each message comes back from what it is encoded to."""
    engine = WatchEngine(Intent(_WATCHED, frozenset({ASN(64500)})))
    reader = BMPReader(engine.table, "edge1", "fra1")
    framer = BMPFramer()
    framer.feed(octets)
    with suppress(BMPError):
        for fact in reader.feed(octets, Timestamp(1e9)):
            engine.take(fact)
    with suppress(BMPError):
        for raw in framer:
            message = decode_bmp(raw)
            assert decode_bmp(encode_bmp(message)) == message


def fuzz_irr(octets: bytes) -> None:
    """Read a server's replies cut in two and whole; then the same octets as a client's queries and as RPSL."""
    cut, stream = octets[0] if octets else 0, octets[1:]
    assert _replies(stream[:cut], stream[cut:]) == _replies(stream)
    client = IRRClient()
    client.connected(Instant(0.0))
    client.ask([Question(SetMembers(SetName("AS-X"))), Question(SetMembers(SetName("AS-X")), ("RIPE",))], Instant(0.0))
    client.received(stream, Instant(0.0))
    database = Database(_registry_objects(stream))
    for line in stream.decode("utf-8", "replace").split("\n"):
        with suppress(ParseError):
            query = parse_query(line)
            reply = database.answer(query)
            assert list(map(encode_reply, _replies(encode_reply(reply)))) == [encode_reply(reply)]
            with suppress(MisuseError):  # what a server takes may be more than a client says
                assert parse_query(encode_query(query).decode().strip("\n")) == query


def _replies(*pieces: bytes) -> list[Reply]:
    framer = ReplyFramer(1 << 16)
    replies: list[Reply] = []
    with suppress(IRRError):
        for piece in pieces:
            framer.feed(piece)
            replies.extend(framer)
    return replies


def _registry_objects(stream: bytes) -> Iterator[RegistryObject]:
    for each in parse_rpsl(stream.decode("utf-8", "replace").split("\n")):
        if isinstance(each, Damage):
            continue
        assert list(parse_rpsl(format_rpsl(each).split("\n"))) == [each]
        with suppress(ParseError):
            value = read_object(each)
            if value is not None:
                assert read_object(write_object(value)) == value
                yield value


def fuzz_link(octets: bytes) -> None:
    """Read lines as messages of either side, and hand them to engines in the middle of a session."""
    now = Now(Instant(0.0), Timestamp(0.0))
    agent, controller = LinkAgent(["one"], _Half()), ControllerSession("ams", now)
    agent.start(now)
    agent.connected(AgentFacts("ams", "1"), now)
    agent.received(link.encode_message(Welcome(2, 1, 3.0, 0, 10, 0.0)), now)
    agent.met(None, now)
    controller.received(link.encode_message(Hello([1, 2], "ams", "1", 0.0)), now)
    controller.welcome(1, 0, now)
    for line in octets.split(b"\n"):
        for decode in (link.decode_agent, link.decode_controller):
            _link_message(decode, line)
        agent.received(line, now)
        controller.received(line, now)


def _link_message(decode: Callable[[bytes], Message | link.Unknown], line: bytes) -> None:
    with suppress(link.LinkError):
        message = decode(line)
        if not isinstance(message, link.Unknown):
            octets = link.encode_message(message)
            again = decode(octets)
            assert isinstance(again, Message)
            assert link.encode_message(again) == octets


class _Half:
    """A source of chance without any."""

    def random(self) -> float:
        return 0.5

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def fuzz_atlas(octets: bytes) -> None:
    """A result is read or is garbage, and what was read can be written as JSON."""
    result = parse_result(octets)
    if not isinstance(result, Garbage):
        json.dumps(plain(result), allow_nan=False)


def fuzz_dns(octets: bytes) -> None:
    """Octets are a DNS message or are none."""
    reply = decode_reply(octets)
    if not isinstance(reply, NoReply):
        assert isinstance(reply.server, str)


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {
        "open": fuzz_open,
        "update": fuzz_update,
        "notification": fuzz_notification,
        "refresh": fuzz_refresh,
        "framer": fuzz_framer,
        "flowspec": fuzz_flowspec,
        "rtr": fuzz_rtr,
        "bmp": fuzz_bmp,
        "ris_live": fuzz_ris_live,
        "mrt": fuzz_mrt,
        "irr": fuzz_irr,
        "link": fuzz_link,
        "atlas": fuzz_atlas,
        "dns": fuzz_dns,
    }
)
