"""TLS over a plain transport, in memory of its own.

The event loop's own TLS keeps a buffer of 256 KiB for each connection, which is most of what a thousand agents would
cost a controller. Here a connection costs what OpenSSL needs, and a server may let handshakes wait for each other.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Mapping
from typing import Any, Final, Protocol

from anycastle.base.errors import ParseError
from anycastle.io.system_words import system_words

READ_OCTETS: Final = 64 * 1024
WRITE_HIGH_OCTETS: Final = 256 * 1024
"""What may wait to be sent before the connection takes no more."""

FAREWELL_S: Final = 2.0
"""How long what was said last may take to be sent."""


class StreamOwner(Protocol):
    """Who uses a stream. Nothing is called after `stream_closed`."""

    def stream_reached(self) -> None:
        """The transport is up, and no octet of TLS was said. A server may wait before it calls `begin`."""
        ...

    def stream_opened(self) -> None:
        """The handshake is done. Raises `ParseError` to refuse the other end."""
        ...

    def stream_received(self, octets: bytes) -> None:
        """Take what the other end said."""
        ...

    def stream_blocked(self) -> None:
        """Take that no more should be written for now."""
        ...

    def stream_drained(self) -> None:
        """Take that more may be written."""
        ...

    def stream_closed(self, why: str) -> None:
        """Take that the connection is gone, with what happened where something did."""
        ...


class TLSStream(asyncio.Protocol):
    """One connection."""

    def __init__(self, context: ssl.SSLContext, *, server_name: str | None = None) -> None:
        self.owner: StreamOwner | None = None
        self.peer_address = ""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_name is None, server_hostname=server_name
        )
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._closing = False
        self._why = ""

    @property
    def certificate(self) -> Mapping[str, Any] | None:
        """What the other end showed."""
        return self._tls.getpeercert()

    # -- of the transport -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or wait for the owner to begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=WRITE_HIGH_OCTETS)
        self.peer_address = str((transport.get_extra_info("peername") or ("",))[0])
        transport.pause_reading()
        if self.owner is not None:
            self.owner.stream_reached()

    def begin(self) -> None:
        """Begin the handshake."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
            self._shake_hands()

    def data_received(self, data: bytes) -> None:
        """Decrypt, and pass on."""
        self._incoming.write(data)
        if not self._open:
            self._shake_hands()
        if self._open:
            self._read()

    def eof_received(self) -> None:
        """Close our side too."""
        self._incoming.write_eof()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        owner, self.owner = self.owner, None
        if isinstance(exc, OSError) and not self._why:
            self._why = system_words(exc)
        if owner is not None:
            owner.stream_closed(self._why)

    def pause_writing(self) -> None:
        """The transport has enough."""
        if self.owner is not None:
            self.owner.stream_blocked()

    def resume_writing(self) -> None:
        """The transport takes more."""
        if self.owner is not None:
            self.owner.stream_drained()

    # -- of the owner ---------------------------------------------------------------------------------------------

    def write(self, octets: bytes) -> None:
        """Send, or forget what comes after the end."""
        if not self._open or self._closing:
            return
        try:
            self._tls.write(octets)
        except ssl.SSLError as error:
            self.abort(_words(error))
            return
        self._flush()

    def close(self) -> None:
        """Close once what was written is sent, or `FAREWELL_S` later."""
        transport = self._transport
        if self._closing or transport is None:
            return
        self._closing = True
        if self._open:
            with contextlib.suppress(ssl.SSLError):  # the other end need not answer our farewell
                self._tls.unwrap()
            self._flush()
        transport.close()
        asyncio.get_running_loop().call_later(FAREWELL_S, transport.abort)

    def abort(self, why: str = "") -> None:
        """End at once."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()

    # -- TLS ------------------------------------------------------------------------------------------------------

    def _shake_hands(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
            return
        except ssl.SSLError as error:
            self._refuse(error)
            return
        self._flush()
        self._open = True
        if self.owner is not None:
            try:
                self.owner.stream_opened()
            except ParseError as error:
                self.abort(str(error))

    def _read(self) -> None:
        try:
            while self.owner is not None and not self._closing and (octets := self._tls.read(READ_OCTETS)):
                self.owner.stream_received(octets)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLZeroReturnError:
            self.close()
        except ssl.SSLError as error:
            self._refuse(error)

    def _refuse(self, error: ssl.SSLError) -> None:
        """Send the alert that says why, and close."""
        self._why = self._why or _words(error)
        self._flush()
        self._open = False
        self.close()

    def _flush(self) -> None:
        if self._outgoing.pending and self._transport is not None:
            self._transport.write(self._outgoing.read())


def _words(error: ssl.SSLError) -> str:
    """Give what went wrong, in words that name the side which refuses."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the other end's certificate is refused: {error.verify_message}"
    reason = (error.reason or str(error)).replace("_", " ").lower()
    for alert in ("sslv3 alert ", "tlsv1 alert ", "tlsv13 alert "):
        if reason.startswith(alert):
            return f"the other end refuses our certificate or our TLS: {reason.removeprefix(alert)}"
    return f"TLS fails: {reason}"
