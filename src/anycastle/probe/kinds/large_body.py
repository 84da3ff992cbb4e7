"""HTTP: "1 kB works and 200 kB does not": whether large packets from the server get through.

Other than an echo, this is the way that clients' data take: from the server. A small body comes in one small packet. A
large one comes in packets as large as the server believes that the path carries; where a narrower link drops them and
its word about it is dropped too, or reaches another PoP of the same anycast address, nothing comes any more. So a large
body that stalls is asked for again on a connection whose segments we limit (the MSS of RFC 9293 §3.7.1): if it comes
now, packets were too large; if it does not, the server is at fault, or the path as a whole.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from anycastle.probe.result import Failure, FailureKind, Observation

SEGMENT_OCTETS: Final = MappingProxyType({4: 536, 6: 1220})
"""Of the last try: what every host takes without saying so (RFC 9293 §3.7.1)."""

LARGE_OCTETS_MIN: Final = 10_000
"""Of a body that is called large: several packets of any MTU in use."""


@dataclass(frozen=True, slots=True)
class LargeBodyAsk:
    """Two requests, and a third one where the second stalls."""

    large_path: str
    small_path: str = "/"
    tls: bool = True
    host: str | None = None
    """For the Host field, SNI and verification; None: the target's host."""
    stall_s: float = 2.0
    """Silence of so long is a stall: more than some retransmissions take."""
    verify: bool = True
    ca_file: str | None = None
    kind: str = field(default="large_body", init=False)


@dataclass(frozen=True, slots=True)
class LargeBodySeen(Observation):
    """What came of each."""

    small_octets: int | None
    """Of the small body; None where it stalled."""
    large_octets: int
    """Of the large response, as far as it came."""
    whole: bool
    """The large one came whole."""
    segment_octets: int
    """Data in the largest segments that we told the server to send for it: the MSS without options."""
    clamped_octets: int | None = None
    """Of the large response in small segments, where it was asked again; None where it was not, or stalled."""
    clamped_segment_octets: int | None = None

    @property
    def black_hole(self) -> bool:
        """Tell whether only small packets get through."""
        return not self.whole and self.clamped_octets is not None


def judge(seen: LargeBodySeen) -> Failure | None:
    """Give what is wrong."""
    small = "the small body stalled" if seen.small_octets is None else f"a body of {seen.small_octets} octets came"
    large = f"of the large one {seen.large_octets} octets in segments of up to {seen.segment_octets}"
    if seen.black_hole:
        words = f"{small}, {large}, but all {seen.clamped_octets} in segments of {seen.clamped_segment_octets}"
        return Failure(FailureKind.BLACK_HOLE, "large", f"{words}: large packets from the server vanish")
    if not seen.whole:
        words = f"{small}, {large}, and no more in segments of {seen.clamped_segment_octets}"
        return Failure(FailureKind.TIMEOUT, "clamped", f"{words}: the size of packets is not the reason")
    if seen.large_octets < LARGE_OCTETS_MIN:
        words = f"the large body has {seen.large_octets} octets: it takes {LARGE_OCTETS_MIN} or more to show anything"
        return Failure(FailureKind.CONTENT, "large", words)
    return None
