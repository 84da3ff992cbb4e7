"""A session's dialogue, spoken by the test: what happens, then what must come of it."""

import random
from dataclasses import replace
from ipaddress import IPv4Address

from anycastle.base.ports import Instant
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family
from anycastle.session.command import Command, Send
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import State
from anycastle.session.negotiation import own_open
from anycastle.session.session import BGPSession
from anycastle.wire.bgp.codec import Framer, decode_message, encode_message
from anycastle.wire.bgp.message import Keepalive, Message, Open
from anycastle.wire.bgp.options import BEFORE_OPEN, CodecOptions

OURS = ASN(64500)
THEIRS = ASN(64501)
CONFIG = SessionConfig(
    local_asn=OURS,
    peer_asn=THEIRS,
    identifier=IPv4Address("10.0.0.1"),
    peer="192.0.2.1 port 179",
    families=(Family.IPV4, Family.IPV6),
)
PEER_CONFIG = replace(
    CONFIG, local_asn=THEIRS, peer_asn=OURS, identifier=IPv4Address("10.0.0.2"), peer="192.0.2.2 port 179"
)
T0 = Instant(1000.0)


class FullRandom:
    """No jitter: every factor is at its upper end."""

    def random(self) -> float:
        return 1.0

    def uniform(self, a: float, b: float) -> float:
        return b


def session(**changes: object) -> BGPSession:
    return BGPSession(replace(CONFIG, **changes), FullRandom())


def peer_open(**changes: object) -> Open:
    """The OPEN of a well-meaning peer; `changes` are of its configuration."""
    return own_open(replace(PEER_CONFIG, **changes))


def octets(*messages: Message, options: CodecOptions = BEFORE_OPEN) -> bytes:
    return b"".join(encode_message(message, options) for message in messages)


def sent(commands: list[Command], options: CodecOptions = BEFORE_OPEN) -> list[Message]:
    """The messages among the commands, decoded."""
    framer = Framer(options)
    messages = []
    for command in commands:
        if isinstance(command, Send):
            framer.feed(command.octets)
            messages += [decode_message(raw, options) for raw in framer]
    return messages


def only(commands: list[Command], kind: type) -> Command:
    """The one command of a kind."""
    found = [command for command in commands if isinstance(command, kind)]
    assert len(found) == 1, commands
    return found[0]


def bring_to(state: State, now: Instant = T0, **changes: object) -> BGPSession:
    """A session that was brought to a state by dialling."""
    speaker = session(**changes)
    steps = [
        lambda: speaker.start(now),
        lambda: speaker.connected(now),
        lambda: speaker.received(octets(peer_open()), now),
        lambda: speaker.received(octets(Keepalive()), now),
    ]
    for step in steps:
        if speaker.state is state:
            break
        step()
    if state is State.ACTIVE:
        speaker = session(**{**changes, "passive": True})
        speaker.start(now)
    assert speaker.state is state
    return speaker


def seeded(seed: int) -> random.Random:
    return random.Random(seed)
