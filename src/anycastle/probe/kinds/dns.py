"""DNS over UDP, TCP, TLS (RFC 7858), HTTPS (RFC 8484) or QUIC (RFC 9250): rcode, answer, and which server wrote it."""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from anycastle.probe.result import Failure, FailureKind, Observation
from anycastle.wire.dns import DNSReply, text_of_nsid

PORTS: Final = MappingProxyType({"udp": 53, "tcp": 53, "tls": 853, "https": 443, "quic": 853})
"""Transport -> the port that it has by default."""

RCODES: Final = MappingProxyType({"NOERROR": 0, "FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5})
_RCODE_WORDS: Final = MappingProxyType({number: word for word, number in RCODES.items()})

IDENTITIES: Final = ("id.server", "hostname.bind")
"""Names of class CHAOS by which a server tells itself apart (RFC 4892)."""

ANSWERS_KEPT: Final = 20
_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class DNSAsk:
    """A question; where `identity` is given, a second one on the same connection or port."""

    name: str = "."
    record_type: str = "SOA"
    transport: str = "udp"
    nsid: bool = True
    identity: str = ""
    """Of `IDENTITIES`; empty: not asked."""
    recursion: bool = False
    rcode: str = "NOERROR"
    answer: str | None = None
    """Text of one A, AAAA or TXT record that must be among the answers."""
    authoritative: bool = False
    """The AA bit must be set."""
    server_name: str | None = None
    """For TLS, HTTPS and QUIC; None: the target's host."""
    verify: bool = True
    ca_file: str | None = None
    path: str = "/dns-query"
    kind: str = field(default="dns", init=False)

    @property
    def asked(self) -> str:
        """Give the question in short: `. SOA udp`."""
        return f"{self.name} {self.record_type} {self.transport}"


@dataclass(frozen=True, slots=True)
class DNSSeen(Observation):
    """A reply."""

    rcode: str
    answers: tuple[str, ...]
    """Texts of its A, AAAA and TXT records; others as TYPE and number of octets."""
    authoritative: bool
    truncated: bool
    nsid: str
    octets: int
    identity: str = ""
    """Of the second question."""
    serial: int | None = None
    """Of the first SOA in any section."""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give NSID first: it came with the answer itself, where an identity may be that of another PoP."""
        return tuple(pair for pair in (("nsid", self.nsid), ("identity", self.identity)) if pair[1])


def rcode_word(number: int) -> str:
    """Give `NOERROR` and its like; `RCODE23` for the others."""
    return _RCODE_WORDS.get(number, f"RCODE{number}")


def seen_of(reply: DNSReply, octets: int) -> DNSSeen:
    """Give what a reply shows."""
    answers = tuple(each.text or f"TYPE{each.type} {each.size} octets" for each in reply.answers[:ANSWERS_KEPT])
    return DNSSeen(
        rcode_word(reply.rcode), answers, reply.authoritative, reply.truncated, text_of_nsid(reply.nsid), octets,
        serial=reply.soa_serial,
    )  # fmt: skip


def judge(ask: DNSAsk, seen: DNSSeen) -> Failure | None:
    """Give what is wrong with a reply."""
    if seen.rcode != ask.rcode:
        return _wrong(f"rcode {seen.rcode}, expected {ask.rcode}")
    if ask.authoritative and not seen.authoritative:
        return _wrong("the answer is not authoritative (AA is not set)")
    if ask.answer is None or ask.answer in seen.answers:
        return None
    if seen.truncated:
        return _wrong("the answer is truncated (TC); ask over tcp")
    more = f" and {len(seen.answers) - _SHOWN} more" if len(seen.answers) > _SHOWN else ""
    return _wrong(f"answer {', '.join(seen.answers[:_SHOWN]) or 'empty'}{more}, expected {ask.answer}")


def _wrong(words: str) -> Failure:
    return Failure(FailureKind.CONTENT, "answer", words)
