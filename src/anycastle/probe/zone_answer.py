"""Whether an answer of an authoritative server is what its zone says, and signed by the zone's keys (RSSAC047 §5.3).

An answer is judged by what it is, and not by what was asked for: *negative* (NXDOMAIN, or nothing but the zone's SOA),
a *referral* (the NS of a delegation), or *positive*. Whichever it is, each of its sets of records must be in the zone,
and each signature in it must be good at the time of the answer. A fault carries the document's mark of the requirement.

Servers take a new version of a zone at different times, so an answer is right if one of the versions that were in use
says it. Zones that prove absence by NSEC3 (RFC 5155) have no such proofs checked: the root uses NSEC.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataset
import dns.rdatatype
import dns.rrset
import dns.zone
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NSEC import NSEC
from dns.rdtypes.ANY.RRSIG import RRSIG

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp

GOOD_KEPT_MAX: Final = 200_000
"""Signatures of a version that were found good: the root has some 3,000."""

_SIGNATURE: Final = dns.rdatatype.RRSIG
_NS: Final = dns.rdatatype.NS
_DS: Final = dns.rdatatype.DS
_SOA: Final = dns.rdatatype.SOA
_NSEC: Final = dns.rdatatype.NSEC
_ADDRESSES: Final = (dns.rdatatype.A, dns.rdatatype.AAAA)
_SHUT: Final[Mapping[RdataType, tuple[bool, bool]]] = {
    _DS: (True, True),
    dns.rdatatype.DNSKEY: (True, True),
    _NS: (True, False),
}
"""Type -> whether the authority and the additional section of its answer are empty. [xdu, mle, kka, jws, eyk]"""


class Fault(NamedTuple):
    """What is wrong with an answer."""

    mark: str
    """Of RSSAC047's requirement, such as `vnk`."""
    words: str


@dataclass(frozen=True, slots=True)
class ZoneVersion:
    """One version of a zone."""

    zone: dns.zone.Zone
    serial: int
    _good: set[tuple[bytes, bytes]] = field(default_factory=set, compare=False)

    @property
    def origin(self) -> dns.name.Name:
        """Give the zone's name."""
        origin = self.zone.origin
        assert origin is not None  # `zone_version` gives none without
        return origin

    def records(self, name: dns.name.Name, kind: RdataType) -> dns.rdataset.Rdataset | None:
        """Give a set of records, also one of glue."""
        node = self.zone.nodes.get(name)
        return None if node is None else node.get_rdataset(self.zone.rdclass, kind)

    def signed(self, records: dns.rrset.RRset, signature: RRSIG) -> bool:
        """Tell whether a signature is good, whenever it is valid; the same one is worked out once."""
        proof = (signature.to_digestable(), _wire(records))
        if proof in self._good:
            return True
        keys = self.records(self.origin, dns.rdatatype.DNSKEY)
        try:
            dns.dnssec.validate_rrsig(records, signature, {self.origin: keys} if keys else {}, now=signature.inception)
        except dns.exception.DNSException:
            return False
        if len(self._good) < GOOD_KEPT_MAX:
            self._good.add(proof)
        return True


def _wire(records: dns.rrset.RRset) -> bytes:
    return records.name.to_digestable() + b"".join(sorted(each.to_digestable() for each in records))


def zone_version(text: str, origin: str = ".") -> ZoneVersion:
    """Read a zone in master-file form (RFC 1035 §5). Raises `ParseError`."""
    try:
        zone = dns.zone.from_text(text, origin=origin, relativize=False, allow_include=False)
        soa = zone.get_soa()
    except (dns.exception.DNSException, ValueError, KeyError) as error:
        raise ParseError(f"no zone of {origin!r}: {str(error) or type(error).__name__}") from error
    return ZoneVersion(zone, soa.serial)


def faults(reply: bytes, versions: Sequence[ZoneVersion], at: Timestamp) -> tuple[Fault, ...]:
    """Give what is wrong with an answer by the version that it fits best, () where it is right by one of them.

    Of versions that it fits equally badly, the first counts: put the newest first.
    """
    try:
        message = dns.message.from_wire(reply)
    except dns.exception.DNSException as error:
        return (Fault("lbl", f"it cannot be read: {str(error) or type(error).__name__}"),)
    best: tuple[Fault, ...] | None = None
    for version in versions:
        found = tuple(_faults(message, version, at))
        if not found:
            return ()
        if best is None or len(found) < len(best):
            best = found
    return best if best is not None else (Fault("yhu", "no version of the zone was in use"),)


def _faults(message: dns.message.Message, version: ZoneVersion, at: Timestamp) -> Iterator[Fault]:
    yield from _beside_the_zone(message, version)
    yield from _badly_signed(message, version, at)
    if message.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        yield Fault("ote", f"rcode {dns.rcode.to_text(message.rcode())}")
        return
    if not message.question:
        yield Fault("lbl", "it repeats no question")
        return
    name, kind = message.question[0].name, message.question[0].rdtype
    if message.rcode() == dns.rcode.NXDOMAIN or (not message.answer and _of(message.authority, _SOA)):
        yield from _negative(message, version, name, kind)
    elif not message.answer:
        yield from _referral(message, version, name)
    else:
        yield from _positive(message, version, name, kind)


def _sections(message: dns.message.Message) -> Iterator[tuple[str, dns.rrset.RRset]]:
    for word, section in (("answer", message.answer), ("authority", message.authority)):
        yield from ((word, each) for each in section)
    yield from (("additional", each) for each in message.additional if each.rdtype != dns.rdatatype.OPT)


def _beside_the_zone(message: dns.message.Message, version: ZoneVersion) -> Iterator[Fault]:
    """Tell which sets are not the zone's [vnk]; OPT and signatures are no part of that [pvz, ygx]."""
    for section, found in _sections(message):
        if found.rdtype == _SIGNATURE:
            continue
        told = version.records(found.name, found.rdtype)
        if told is None:
            yield Fault("vnk", f"{section}: {_shown(found)} is not in the zone {version.serial}")
        elif set(found) != set(told):
            yield Fault("vnk", f"{section}: {_shown(found)} differs from the zone {version.serial}")


def _badly_signed(message: dns.message.Message, version: ZoneVersion, at: Timestamp) -> Iterator[Fault]:
    """Tell which sets that come with signatures have none that is good. [yds]"""
    for section, found in _sections(message):
        if found.rdtype == _SIGNATURE:
            continue
        signatures = _signatures(message, found)
        if signatures and not any(_good(version, found, each, at) for each in signatures):
            yield Fault("yds", f"{section}: no signature of {_shown(found)} is good")


def _good(version: ZoneVersion, records: dns.rrset.RRset, signature: RRSIG, at: Timestamp) -> bool:
    return signature.inception <= at <= signature.expiration and version.signed(records, signature)


def _signatures(message: dns.message.Message, records: dns.rrset.RRset) -> list[RRSIG]:
    return [
        signature
        for _, each in _sections(message)
        if each.rdtype == _SIGNATURE and each.name == records.name and each.covers == records.rdtype
        for signature in each
        if isinstance(signature, RRSIG)
    ]


def _of(section: Iterable[dns.rrset.RRset], kind: RdataType) -> list[dns.rrset.RRset]:
    return [each for each in section if each.rdtype == kind]


def _signed(
    message: dns.message.Message, section: Iterable[dns.rrset.RRset], name: dns.name.Name, kind: RdataType
) -> bool:
    """Tell whether a section has a set with a signature; whether that is good is told elsewhere."""
    return any(each.name == name and _signatures(message, each) for each in _of(section, kind))


def _shown(records: dns.rrset.RRset) -> str:
    return f"{records.name} {dns.rdatatype.to_text(records.rdtype)}"


def _authoritative(message: dns.message.Message) -> bool:
    return bool(message.flags & dns.flags.AA)


_POSITIVE_MARKS: Final = {_SOA: ("xhr", "obw"), _NS: ("csz", "wal"), _DS: ("yot", "cpf")}
"""Type -> marks of the AA bit and of the answer; DNSKEY's are the default."""


def _positive(
    message: dns.message.Message, version: ZoneVersion, name: dns.name.Name, kind: RdataType
) -> Iterator[Fault]:
    bit, answer = _POSITIVE_MARKS.get(kind, ("occ", "eou"))
    if not _authoritative(message):
        yield Fault(bit, "the AA bit is not set")
    if not _signed(message, message.answer, name, kind):
        yield Fault(answer, f"answer: no signed {dns.rdatatype.to_text(kind)} of {name}")
    no_authority, no_additional = _SHUT.get(kind, (False, False))
    if no_authority and message.authority:
        yield Fault({_DS: "xdu", _NS: "eyk"}.get(kind, "kka"), "authority: it is not empty")
    if no_additional and message.additional:
        yield Fault({_DS: "mle"}.get(kind, "jws"), "additional: it is not empty")
    if kind == _SOA and message.authority and not _signed(message, message.authority, version.origin, _NS):
        yield Fault("ktm", "authority: it has no signed NS of the zone, and is not empty")


def _referral(message: dns.message.Message, version: ZoneVersion, name: dns.name.Name) -> Iterator[Fault]:
    if _authoritative(message):
        yield Fault("ujy", "the AA bit is set on a referral")
    delegations = [each for each in _of(message.authority, _NS) if name.is_subdomain(each.name)]
    if not delegations:
        yield Fault("pdd", f"authority: no NS of {name} or of what is above it")
        return
    delegated = delegations[0]
    if version.records(delegated.name, _DS) is not None:
        if not _signed(message, message.authority, delegated.name, _DS):
            yield Fault("kbd", f"authority: no signed DS of {delegated.name}")
    else:
        if _of(message.authority, _DS):
            yield Fault("bgr", "authority: a DS that the zone does not have")
        if not _lacks_ds(message, delegated.name):
            yield Fault("mkl", f"authority: no signed NSEC says that {delegated.name} has no DS")
    hosts = {each.target for each in delegated}
    if not any(each.name in hosts for each in message.additional if each.rdtype in _ADDRESSES):
        glue = any(version.records(host, kind) for host in hosts for kind in _ADDRESSES)
        if glue:
            yield Fault("cjm", f"additional: no address of a name server of {delegated.name}")


def _lacks_ds(message: dns.message.Message, name: dns.name.Name) -> bool:
    return any(each.name == name and not any(_has(nsec, _DS) for nsec in _nsecs(each)) for each in _proofs(message))


def _proofs(message: dns.message.Message) -> list[dns.rrset.RRset]:
    return [each for each in _of(message.authority, _NSEC) if _signatures(message, each)]


def _nsecs(records: dns.rrset.RRset) -> list[NSEC]:
    return [each for each in records if isinstance(each, NSEC)]


def _has(nsec: NSEC, kind: RdataType) -> bool:
    """Tell whether a type is in the type bit maps of an NSEC (RFC 4034 §4.1.2)."""
    return any(
        window == kind >> 8 and len(bitmap) > (kind & 0xFF) >> 3 and bitmap[(kind & 0xFF) >> 3] & 0x80 >> (kind & 7)
        for window, bitmap in nsec.windows
    )


def _negative(
    message: dns.message.Message, version: ZoneVersion, name: dns.name.Name, kind: RdataType
) -> Iterator[Fault]:
    if not _authoritative(message):
        yield Fault("gpl", "the AA bit is not set")
    if message.answer:
        yield Fault("dvh", "answer: it is not empty")
    if not _signed(message, message.authority, version.origin, _SOA):
        yield Fault("axj", "authority: no signed SOA of the zone")
    if message.additional:
        yield Fault("trw", "additional: it is not empty")
    if version.records(version.origin, dns.rdatatype.NSEC3PARAM) is not None:
        return
    proofs = _proofs(message)
    if message.rcode() == dns.rcode.NOERROR:
        if not any(each.name == name and not any(_has(nsec, kind) for nsec in _nsecs(each)) for each in proofs):
            asked = f"{name} has no {dns.rdatatype.to_text(kind)}"
            yield Fault("czb", f"authority: no signed NSEC says that {asked}")
        return
    if not any(_covers(each, name, version.origin) for each in proofs):
        yield Fault("czb", f"authority: no signed NSEC proves that {name} is not there")
    wildcard = dns.name.Name((b"*", *version.origin.labels))
    if not any(_covers(each, wildcard, version.origin) for each in proofs):
        yield Fault("jhz", f"authority: no signed NSEC proves that {wildcard} is not there")


def _covers(records: dns.rrset.RRset, name: dns.name.Name, origin: dns.name.Name) -> bool:
    """Tell whether a name lies between an NSEC and the next one, in canonical order (RFC 4034 §6.1)."""
    return any(records.name < name and (name < nsec.next or nsec.next == origin) for nsec in _nsecs(records))
