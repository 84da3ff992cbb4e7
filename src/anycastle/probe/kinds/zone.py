"""A zone's answers, each question drawn anew, so that over time all that a server says of its zone is heard.

RSSAC047 §5.3 asks a root server so: nine of ten times for what is there (the zone's SOA, NS and DNSKEY, the NS and DS
of a delegation), else for a name that is not, over UDP or TCP. Answers are kept whole. Whether one is right is told
later, by the zones that were in use then (`probe/zone_answer.py`): a prober cannot know when a zone was published.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from anycastle.base.ports import Randomness
from anycastle.probe.kinds.dns import rcode_word
from anycastle.probe.result import Failure, FailureKind, Observation
from anycastle.wire.dns import DNSReply, text_of_nsid

T = TypeVar("T")

EXPECTED_SHARE: Final = 0.9
"""Of questions for what is there. [yyg]"""

APEX_TYPES: Final = ("SOA", "DNSKEY", "NS")
"""[njh, hmc, xca]"""

DELEGATION_TYPES: Final = ("NS", "DS")
"""[max, kmd]"""

TRANSPORTS: Final = ("udp", "tcp")
"""[ogo]"""

EDNS_OCTETS: Final = 1220
"""[rja]"""

RANDOM_LETTERS: Final = 10
"""Of a name that is not there. [dse]"""

ANSWERING_RCODES: Final = ("NOERROR", "NXDOMAIN")
"""Any other is no answer. [ote]"""

_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class ZoneAsk:
    """What is drawn from."""

    names_file: str | None = None
    """Delegations, a name a line, such as IANA's list of top-level domains; None: only the apex is asked for."""
    origin: str = "."
    served: tuple[str, ...] = ("arpa",)
    """Delegations that the same servers serve: asked for their NS they give no referral. [unt]"""
    kind: str = field(default="zone", init=False)


class Drawn(NamedTuple):
    """A question."""

    name: str
    record_type: str
    transport: str


@dataclass(frozen=True, slots=True)
class ZoneSeen(Observation):
    """An answer, whole."""

    name: str
    record_type: str
    transport: str
    """That answered: TCP also where UDP was asked and the answer was cut."""
    rcode: str
    nsid: str
    octets: int
    reply: str
    """Its octets in base64."""

    def identities(self) -> tuple[tuple[str, str], ...]:
        """Give the NSID."""
        return (("nsid", self.nsid),) if self.nsid else ()


def draw(ask: ZoneAsk, names: Sequence[str], randomness: Randomness) -> Drawn:
    """Draw a question; `names` are the delegations."""
    transport = _one_of(TRANSPORTS, randomness)
    if randomness.random() >= EXPECTED_SHARE:
        letters = "".join(_one_of(_LETTERS, randomness) for _ in range(RANDOM_LETTERS))
        return Drawn(_under(f"www.rssac047-test.{letters}", ask.origin), "A", transport)
    styles = [(ask.origin, each) for each in APEX_TYPES]
    if names:
        name = _one_of(names, randomness)
        styles += [
            (_under(name, ask.origin), each) for each in DELEGATION_TYPES if each != "NS" or name not in ask.served
        ]
    name, record_type = _one_of(styles, randomness)
    return Drawn(name, record_type, transport)


def _one_of(choices: Sequence[T], randomness: Randomness) -> T:
    return choices[int(randomness.random() * len(choices))]


def _under(name: str, origin: str) -> str:
    return f"{name.rstrip('.')}.{origin.lstrip('.')}"


def seen_of(drawn: Drawn, reply: DNSReply, octets: int, text: str) -> ZoneSeen:
    """Give what a reply shows; `text` is the whole of it in base64."""
    rcode, nsid = rcode_word(reply.rcode), text_of_nsid(reply.nsid)
    return ZoneSeen(drawn.name, drawn.record_type, drawn.transport, rcode, nsid, octets, text)


def judge(seen: ZoneSeen) -> Failure | None:
    """Give what is wrong with a reply, as far as it shows without the zone."""
    if seen.rcode in ANSWERING_RCODES:
        return None
    words = f"rcode {seen.rcode} to {seen.name} {seen.record_type}, expected {' or '.join(ANSWERING_RCODES)}"
    return Failure(FailureKind.CONTENT, "answer", words)
