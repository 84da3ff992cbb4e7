"""The service of the embedded lab: a small authoritative name server, one per PoP, that says which PoP it is."""

import asyncio

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from anycastle.base.errors import WorldError

IDENTITY_NAMES = frozenset({"id.server.", "hostname.bind."})
"""Asked in class CHAOS, they name the server (RFC 4892)."""


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP for the zone `example.`; every answer of class CHAOS carries the PoP's name."""

    def __init__(self, pop: str, host: str, port: int) -> None:
        self.pop = pop
        self.queries = 0
        self._address = (host, port)
        self._transport: asyncio.DatagramTransport | None = None
        self._answers: dict[bytes, bytes] = {}

    @property
    def serving(self) -> bool:
        """Whether it answers."""
        return self._transport is not None

    async def start(self) -> None:
        """Begin to answer. Raises `WorldError`."""
        try:
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=self._address)
        except OSError as error:
            host, port = self._address
            raise WorldError(f"{host}:{port} cannot be served: {error.strerror}") from error

    def stop(self) -> None:
        """Die: queries are refused from now on, as by a host whose server is gone."""
        if self._transport is not None:
            self._transport.abort()
            self._transport = None

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:  # type: ignore[override]
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """Answer one query."""
        self.queries += 1
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, address)

    def _answer(self, query: bytes) -> bytes | None:
        """Give the answer; those of one question differ in the identifier alone, so each is worked out once."""
        question = query[2:]
        if question not in self._answers:
            if len(self._answers) > 64:
                self._answers.clear()
            worked_out = self._work_out(query)
            if worked_out is None:
                return None
            self._answers[question] = worked_out[2:]
        return query[:2] + self._answers[question]

    def _work_out(self, query: bytes) -> bytes | None:
        try:
            message = dns.message.from_wire(query)
        except dns.exception.DNSException:
            return None
        reply = dns.message.make_response(message)
        reply.flags |= dns.flags.AA
        asked = message.question[0] if message.question else None
        if asked is None:
            reply.set_rcode(dns.rcode.FORMERR)
        elif asked.rdclass == dns.rdataclass.CH and asked.name.to_text().lower() in IDENTITY_NAMES:
            reply.answer.append(dns.rrset.from_text(asked.name, 0, "CH", "TXT", f'"{self.pop}"'))
        elif asked.name.to_text().lower() == "example." and asked.rdtype == dns.rdatatype.SOA:
            soa = "ns.example. hostmaster.example. 1 7200 900 1209600 300"
            reply.answer.append(dns.rrset.from_text(asked.name, 300, "IN", "SOA", soa))
        else:
            reply.set_rcode(dns.rcode.REFUSED)
        return reply.to_wire()
