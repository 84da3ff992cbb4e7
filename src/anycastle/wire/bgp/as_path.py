"""AS paths: what a route went through, and the questions that the decision process asks of it."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN

SEGMENT_MAX: Final = 255
"""ASNs of a segment: its count is one octet (RFC 4271 §4.3 b)."""


class SegmentKind(IntEnum):
    """Type of an AS_PATH segment (RFC 4271 §4.3 b, RFC 5065 §3)."""

    SET = 1
    SEQUENCE = 2
    CONFED_SEQUENCE = 3
    CONFED_SET = 4

    @property
    def confederation(self) -> bool:
        """Tell whether the segment stays within a confederation."""
        return self >= SegmentKind.CONFED_SEQUENCE


_BRACKETS: Final = {
    SegmentKind.SET: ("{", ",", "}"),
    SegmentKind.SEQUENCE: ("", " ", ""),
    SegmentKind.CONFED_SEQUENCE: ("(", " ", ")"),
    SegmentKind.CONFED_SET: ("[", ",", "]"),
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment of an AS path."""

    kind: SegmentKind
    asns: tuple[ASN, ...]

    def __str__(self) -> str:
        opening, between, closing = _BRACKETS[self.kind]
        return opening + between.join(map(str, self.asns)) + closing


@dataclass(frozen=True, slots=True)
class ASPath:
    """An AS path, nearest AS first; empty for a route that starts in the own AS."""

    segments: tuple[Segment, ...] = ()

    @classmethod
    def sequence(cls, *asns: int) -> "ASPath":
        """Give the path of one AS_SEQUENCE (none for no ASN)."""
        return cls((Segment(SegmentKind.SEQUENCE, tuple(map(ASN, asns))),)) if asns else cls()

    @property
    def length(self) -> int:
        """Length as routes are compared: a set counts one, confederation segments none.

        Source: RFC 4271 §9.1.2.2 a, RFC 5065 §5.3.
        """
        return sum(
            len(segment.asns) if segment.kind is SegmentKind.SEQUENCE else 1
            for segment in self.segments
            if not segment.kind.confederation
        )

    @property
    def first(self) -> ASN | None:
        """The neighbouring AS: leftmost of the first segment outside the confederation, None before a set."""
        for segment in self.segments:
            if not segment.kind.confederation:
                return segment.asns[0] if segment.kind is SegmentKind.SEQUENCE and segment.asns else None
        return None

    @property
    def origin(self) -> ASN | None:
        """The AS that the route comes from; None for an empty path or one that ends in a set (RFC 6811 §2)."""
        if not self.segments:
            return None
        last = self.segments[-1]
        return last.asns[-1] if last.kind is SegmentKind.SEQUENCE and last.asns else None

    @property
    def asns(self) -> tuple[ASN, ...]:
        """Every ASN in order, sets and confederation segments included."""
        return tuple(asn for segment in self.segments for asn in segment.asns)

    def contains(self, asn: ASN) -> bool:
        """Tell whether the path went through `asn` (the loop check of RFC 4271 §9.1.2)."""
        return any(asn in segment.asns for segment in self.segments)

    def prepended(self, asn: ASN, times: int = 1) -> "ASPath":
        """Give the path with `asn` put in front `times` times (RFC 4271 §5.1.2 b). Raises `MisuseError`."""
        if times < 0:
            raise MisuseError(f"an ASN cannot be prepended {times} times")
        segments = list(self.segments)
        while times:
            if segments and segments[0].kind is SegmentKind.SEQUENCE and len(segments[0].asns) < SEGMENT_MAX:
                front = segments.pop(0).asns
            else:
                front = ()
            count = min(times, SEGMENT_MAX - len(front))
            segments.insert(0, Segment(SegmentKind.SEQUENCE, (asn,) * count + front))
            times -= count
        return ASPath(tuple(segments))

    def __str__(self) -> str:
        return " ".join(map(str, self.segments))
