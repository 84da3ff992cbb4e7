"""IRR013: our ASN has an aut-num object, which some upstreams and route servers look at before they peer."""

from collections.abc import Iterator

from anycastle.watch.irr.finding import AuditInput, IRRFinding


def networks(seen: AuditInput) -> Iterator[IRRFinding]:
    """Give the fleet's ASN where it has none."""
    if seen.fleet.asn not in seen.view.networks:
        yield IRRFinding("IRR013", "notice", f"AS{seen.fleet.asn}", "it has no aut-num object in what was asked")
