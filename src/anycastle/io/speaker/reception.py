"""Whose connection it is that came in: by its source address, and where that is not enough, by the ASN of its OPEN."""

import asyncio
from collections.abc import Callable, Iterable
from ipaddress import ip_address

from anycastle.io.speaker.config import NeighbourConfig
from anycastle.io.speaker.connection import Connection
from anycastle.model.asn import ASN
from anycastle.model.prefix import Address
from anycastle.wire.bgp.capability import FourOctetASN
from anycastle.wire.bgp.codec import Framer, decode_message, encode_message
from anycastle.wire.bgp.error_codes import CeaseSubcode
from anycastle.wire.bgp.errors import NotificationError
from anycastle.wire.bgp.message import Open
from anycastle.wire.bgp.notification import cease
from anycastle.wire.bgp.options import BEFORE_OPEN

OPEN_WAIT_S = 10.0
"""How long a connection whose neighbour is not known yet may take to send its OPEN."""

UNKNOWN_MAX = 64
"""Connections of neighbours that are not known yet; another is closed at once."""

CLOSE_S = 1.0

Place = Callable[[NeighbourConfig, Connection, bytes], bool]


class Reception:
    """Sorts incoming connections to the neighbours that they are from; strangers are sent Cease 6/5 (RFC 4486 §4).

    A neighbour whose session does not take the connection now, in Idle, is sent nothing: it is to try again soon, and
    a NOTIFICATION is to most speakers a failure to be waited out.
    """

    def __init__(self, neighbours: Iterable[NeighbourConfig]) -> None:
        self._neighbours = tuple(neighbours)
        self._waiting: dict[Connection, asyncio.TimerHandle] = {}

    def expected_at(self, local: Address) -> tuple[NeighbourConfig, ...]:
        """Give the neighbours that may dial a local address."""
        anywhere = int(local) == 0
        return tuple(each for each in self._neighbours if anywhere or each.local_address in (None, local))

    def receive(self, connection: Connection, place: Place, stranger: Callable[[str], None]) -> None:
        """Give the connection to its neighbour by `place`, now or once its OPEN is read, or turn it away."""
        assert connection.transport is not None
        peer = _address(connection, "peername")
        candidates = [each for each in self.expected_at(_address(connection, "sockname")) if each.address == peer]
        if len(candidates) == 1:
            if not place(candidates[0], connection, b""):
                connection.close(CLOSE_S)
        elif candidates and len(self._waiting) < UNKNOWN_MAX:
            self._wait_for_open(connection, candidates, place, stranger)
        else:
            self._turn_away(connection)
            stranger(f"a connection from {peer}, which is no neighbour, was refused")

    def close(self) -> None:
        """Turn away whoever still waits."""
        for connection in tuple(self._waiting):
            self._turn_away(connection)

    def _wait_for_open(
        self,
        connection: Connection,
        candidates: list[NeighbourConfig],
        place: Place,
        stranger: Callable[[str], None],
    ) -> None:
        early = bytearray()

        def received(octets: bytes) -> None:
            early.extend(octets)
            try:
                asn = _asn_of(early)
            except NotificationError as error:
                self._turn_away(connection)
                stranger(f"{candidates[0].address} sent no OPEN: {error.text}")
                return
            if asn is None:
                return
            known = [each for each in candidates if each.session.peer_asn == asn]
            known = known or [each for each in candidates if each.session.peer_asn is None]
            self._forget(connection)
            if not known:
                self._turn_away(connection)
                stranger(f"{candidates[0].address} says AS{asn}, which is no neighbour there")
            elif not place(known[0], connection, bytes(early)):
                connection.close(CLOSE_S)

        connection.received = received
        connection.lost = lambda _detail: self._forget(connection)
        loop = asyncio.get_running_loop()
        self._waiting[connection] = loop.call_later(OPEN_WAIT_S, self._turn_away, connection)

    def _forget(self, connection: Connection) -> None:
        timer = self._waiting.pop(connection, None)
        if timer is not None:
            timer.cancel()

    def _turn_away(self, connection: Connection) -> None:
        self._forget(connection)
        connection.write(encode_message(cease(CeaseSubcode.CONNECTION_REJECTED), BEFORE_OPEN))
        connection.close(CLOSE_S)


def _address(connection: Connection, which: str) -> Address:
    assert connection.transport is not None
    return ip_address(connection.transport.get_extra_info(which)[0].partition("%")[0])


def _asn_of(octets: bytearray) -> ASN | None:
    """Give the ASN of the OPEN that the octets begin with; None while it is not whole. Raises `NotificationError`."""
    framer = Framer(BEFORE_OPEN)
    framer.feed(bytes(octets[:4096]))
    for raw in framer:
        message = decode_message(raw, BEFORE_OPEN)
        if not isinstance(message, Open):
            raise NotificationError(5, 1, b"", "another message came first")
        four = (each.asn for each in message.capabilities if isinstance(each, FourOctetASN))
        return next(four, message.asn)
    return None
