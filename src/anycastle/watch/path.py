"""Questions that detectors ask of an AS path. It is read from the collector's peer (left) to the origin (right)."""

from anycastle.model.asn import ASN
from anycastle.wire.bgp.as_path import ASPath, SegmentKind


def origins_of(path: ASPath) -> tuple[ASN, ...]:
    """Give who originates the route: one AS, or in order all of a set that ends the path; none for no path."""
    for segment in reversed(path.segments):
        if segment.kind.confederation or not segment.asns:
            continue
        if segment.kind is SegmentKind.SEQUENCE:
            return (segment.asns[-1],)
        return tuple(sorted(set(segment.asns)))
    return ()


def hops_of(path: ASPath) -> tuple[ASN, ...]:
    """Give the networks on the way, each run of prepends once; sets and confederation segments are passed over."""
    hops: list[ASN] = []
    for segment in path.segments:
        if segment.kind is SegmentKind.SEQUENCE:
            for asn in segment.asns:
                if not hops or hops[-1] != asn:
                    hops.append(asn)
    return tuple(hops)


def origin_prepends(path: ASPath) -> int:
    """Give how often the origin stands at the end of the path; 0 where a set ends it."""
    asns = path.asns
    if path.origin is None:
        return 0
    count = 0
    while count < len(asns) and asns[-1 - count] == asns[-1]:
        count += 1
    return count


def neighbour_of_origin(path: ASPath) -> ASN | None:
    """Give the AS that the origin announced the route to; None where the path has one network or ends in a set."""
    if path.origin is None:
        return None
    hops = hops_of(path)
    return hops[-2] if len(hops) > 1 else None
