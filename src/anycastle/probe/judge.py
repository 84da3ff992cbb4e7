"""From what was seen to a verdict: what is expected of the kind, then which PoP it was, and whether it may answer."""

from typing import NamedTuple

from anycastle.probe.kinds import dns, http, large_body, mtu, session, tcp, tls, traceroute, zone
from anycastle.probe.kinds.dns import DNSAsk, DNSSeen
from anycastle.probe.kinds.http import HTTPAsk, HTTPSeen
from anycastle.probe.kinds.large_body import LargeBodySeen
from anycastle.probe.kinds.mtu import MTUAsk, MTUSeen
from anycastle.probe.kinds.session import SessionAsk, SessionSeen
from anycastle.probe.kinds.tcp import TCPAsk, TCPSeen
from anycastle.probe.kinds.tls import TLSAsk, TLSSeen
from anycastle.probe.kinds.traceroute import TraceSeen
from anycastle.probe.kinds.zone import ZoneSeen
from anycastle.probe.result import Failure, FailureKind, Observation
from anycastle.probe.site import SiteRule
from anycastle.probe.target import Ask, name_of


class Judged(NamedTuple):
    """What a probe's observation amounts to."""

    failure: Failure | None
    server: str
    pop: str


def judge(ask: Ask, rule: SiteRule | None, seen: Observation, phase: str) -> Judged:
    """Give the verdict; `phase` is the last one, to which a wrong site is told."""
    identities = seen.identities()
    server, pop = identities[0][1] if identities else "", ""
    if rule is not None:
        for _source, text in identities:
            pop = rule.pop_of(text)
            if pop:
                server = text
                break
    return Judged(_content(ask, seen, rule) or _site(rule, server, pop, phase), server, pop)


def _content(ask: Ask, seen: Observation, rule: SiteRule | None) -> Failure | None:
    match ask, seen:
        case DNSAsk(), DNSSeen():
            return dns.judge(ask, seen)
        case _, ZoneSeen():
            return zone.judge(seen)
        case HTTPAsk(), HTTPSeen():
            return http.judge(ask, seen)
        case TLSAsk(), TLSSeen():
            return tls.judge(ask, seen)
        case TCPAsk(), TCPSeen():
            return tcp.judge(ask, seen)
        case MTUAsk(), MTUSeen():
            return mtu.judge(ask, seen)
        case _, LargeBodySeen():
            return large_body.judge(seen)
        case SessionAsk(), SessionSeen():
            return session.judge(ask, seen, name_of(ask, rule))
        case _, TraceSeen():
            return traceroute.judge(seen)
        case _:
            return None


def _site(rule: SiteRule | None, server: str, pop: str, phase: str) -> Failure | None:
    """RSSAC047 counts an answer only of an authorised site: one that may not answer is a hijack, or a mistake."""
    if rule is None or not rule.authorised:
        return None
    if not pop:
        said = f"the server calls itself {server!r}, in which no PoP is found" if server else "the server told no name"
        return Failure(FailureKind.SITE, phase, said)
    if not rule.allows(pop):
        return Failure(FailureKind.SITE, phase, f"{pop} answered ({server}), which is not authorised")
    return None
