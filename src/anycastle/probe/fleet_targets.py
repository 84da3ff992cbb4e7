"""What a prober asks to measure a fleet's objectives: the checks of each promised service, at its anycast addresses.

An agent asks the server beside it whether it serves; a prober asks the same question from outside, of whichever PoP the
Internet leads it to. So the checks say what is asked, and what is right. Those that only a PoP can run are left out:
programs, files, units.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from anycastle.model.check import Check, DNSTarget, HTTPTarget, ICMPTarget, TCPTarget, TLSTarget
from anycastle.model.fleet import Fleet
from anycastle.model.service import Service
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.kinds.tcp import TCPAsk
from anycastle.probe.kinds.tls import TLSAsk
from anycastle.probe.site import SiteRule
from anycastle.probe.target import Ask, ProbeTarget

MEASURED: Final = frozenset({"edge_latency", "routing_success", "client_errors"})
"""Indicators that are of what a prober sees: M1, M3, M5."""


def fleet_targets(fleet: Fleet, interval_s: float, site: SiteRule | None = None) -> tuple[ProbeTarget, ...]:
    """Give the targets; with no rule, a PoP is found where its name stands in the server's."""
    promised = {each.service for each in fleet.objectives if each.indicator in MEASURED}
    found = (
        target
        for service in fleet.services
        if service.name in promised
        for target in _targets(service, site or _by_name(service))
    )
    return tuple(replace(each, interval_s=interval_s, timeout_s=min(each.timeout_s, interval_s)) for each in found)


def _by_name(service: Service) -> SiteRule:
    """Find PoPs of the service by their names, the longest first: fra10 is not fra1."""
    names = sorted(service.pops, key=len, reverse=True)
    return SiteRule(re.compile(f"(?<![A-Za-z0-9])({'|'.join(map(re.escape, names))})(?![A-Za-z0-9])"))


def _targets(service: Service, site: SiteRule) -> Iterator[ProbeTarget]:
    for check in service.checks:
        found = ask_of(check)
        if found is None:
            continue
        ask, port = found
        for address in service.addresses:
            name = f"{service.name}/{check.name}/{address}"
            yield ProbeTarget(name, str(address), port, ask, site=site)


def ask_of(check: Check) -> tuple[Ask, int] | None:
    """Give what a check asks, and the port; None for one that only a PoP can run."""
    match check.target:
        case DNSTarget() as dns:
            ask = DNSAsk(
                dns.name, dns.record_type, dns.transport, rcode=dns.rcode.upper(), answer=_comparable(dns),
                authoritative=dns.authoritative, identity="id.server" if dns.identity is not None else "",
            )  # fmt: skip
            return ask, dns.port
        case HTTPTarget() as http:
            return _http(http)
        case TLSTarget() as tls:
            # A CA file, and the days left, are of the PoP's own machine and of its agent's concern.
            return TLSAsk(tls.server_name, tls.verify, alpn=tls.alpn), tls.port
        case TCPTarget() as tcp:
            return TCPAsk(tcp.send, tcp.expect), tcp.port
        case ICMPTarget():
            return ICMPAsk(), 0
        case _:
            return None


def _comparable(dns: DNSTarget) -> str | None:
    """Give the expected answer where a prober can read records of the type; else the rcode has to do."""
    return dns.answer if dns.record_type in ("A", "AAAA", "TXT") else None


def _http(http: HTTPTarget) -> tuple[Ask, int] | None:
    parts = urlsplit(http.url)
    secure = parts.scheme == "https"
    ask = HTTPAsk(
        tls=secure,
        path=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        method=http.method,
        host=http.server_name or parts.hostname,
        headers=http.headers,
        statuses=http.statuses,
        body_contains=http.body_contains,
        site_header="" if http.expect_header is None else http.expect_header[0],
        verify=http.verify_tls,
    )
    return ask, parts.port or (443 if secure else 80)
