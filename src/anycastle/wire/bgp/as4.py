"""Four-octet AS paths across a session of two-octet ASNs (RFC 6793 §4.2): taken apart to send, merged on receipt."""

from anycastle.model.asn import AS_TRANS
from anycastle.wire.bgp.as_path import SEGMENT_MAX, ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes import Aggregator

_TWO_OCTETS = 0xFFFF


def as4_path_of(path: ASPath | None) -> ASPath | None:
    """Give the AS4_PATH to send beside the path, or None where two octets hold every ASN (§4.2.2)."""
    if path is None:
        return None
    segments = tuple([segment for segment in path.segments if not segment.kind.confederation])
    if all(asn <= _TWO_OCTETS for segment in segments for asn in segment.asns):
        return None
    return ASPath(segments)


def as4_aggregator_of(aggregator: Aggregator | None) -> Aggregator | None:
    """Give the AS4_AGGREGATOR to send beside the aggregator, or None where it is not needed (§4.2.2)."""
    return aggregator if aggregator is not None and aggregator.asn > _TWO_OCTETS else None


def merge(
    path: ASPath | None, aggregator: Aggregator | None, path_4: ASPath | None, aggregator_4: Aggregator | None
) -> tuple[ASPath | None, Aggregator | None]:
    """Give path and aggregator with what AS4_PATH and AS4_AGGREGATOR restore (§4.2.3)."""
    if aggregator is not None and aggregator_4 is not None:
        if aggregator.asn != AS_TRANS:
            return path, aggregator  # a two-octet speaker has aggregated since: both are stale
        aggregator = aggregator_4
    if path is not None and path_4 is not None:
        path = merge_paths(path, path_4)
    return path, aggregator


def merge_paths(path: ASPath, path_4: ASPath) -> ASPath:
    """Put in front of `path_4` what `path` has more than it; a `path_4` that is longer is ignored (§4.2.3)."""
    excess = path.length - path_4.length
    if excess < 0:
        return path
    leading: list[Segment] = []
    for segment in path.segments:
        if segment.kind.confederation:
            leading.append(segment)
            continue
        if not excess:
            break
        taken = segment.asns[:excess] if segment.kind is SegmentKind.SEQUENCE else segment.asns
        leading.append(Segment(segment.kind, taken))
        excess -= len(taken) if segment.kind is SegmentKind.SEQUENCE else 1
        if len(taken) < len(segment.asns):
            break
    return ASPath(_join(leading, list(path_4.segments)))


def _join(leading: list[Segment], following: list[Segment]) -> tuple[Segment, ...]:
    if leading and following:
        last, first = leading[-1], following[0]
        both = last.asns + first.asns
        if last.kind is first.kind is SegmentKind.SEQUENCE and len(both) <= SEGMENT_MAX:
            return (*leading[:-1], Segment(SegmentKind.SEQUENCE, both), *following[1:])
    return (*leading, *following)
