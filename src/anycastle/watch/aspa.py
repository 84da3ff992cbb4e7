"""Verification of AS paths by what networks say of their own providers (ASPA).

Theory of operation. Read from the origin outward, a route may climb from customers to providers, cross to one peer, and
go down again. Each hop on the way up is either attested by the lower network (*provider*), denied by it (*not
provider*: it says who its providers are, and this is none), or not told of. The longest ramp up that nobody denies, and
the longest ramp down to the receiver that nobody denies, must meet: where they do not, some network in between handed
the route on against the rules. Where only the attested ramps do not meet, nothing is known.

Source: draft-ietf-sidrops-aspa-verification: its hop check, and its algorithms for upstream and downstream paths.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from anycastle.model.asn import ASN

Providers = Callable[[ASN], frozenset[ASN] | None]
"""(customer) -> all its providers by its ASPA, or None where it has none."""


class PathValidity(Enum):
    """What ASPAs say of a path."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


class Hop(Enum):
    """What an AS says of the next one on the way up."""

    PROVIDER = "provider"
    NOT_PROVIDER = "not provider"
    NO_ATTESTATION = "no attestation"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A path's validity. `turns` of an invalid one are places in the path, counted from the origin.

    The AS at the first denies that the next is its provider, the AS at the last that the one before it is: whoever
    stands strictly between leaked. In an invalid upstream path they are the two ends of the hop that is denied.
    """

    path: PathValidity
    turns: tuple[int, int] | None = None


def hop(customer: ASN, provider: ASN, providers: Providers) -> Hop:
    """Tell what `customer` says of `provider`; one who attests AS0 alone has none."""
    told = providers(customer)
    if told is None:
        return Hop.NO_ATTESTATION
    return Hop.PROVIDER if provider in told else Hop.NOT_PROVIDER


def upstream(outward: Sequence[ASN], providers: Providers) -> Verdict:
    """Verify a path heard from a customer, a peer or at a route server: all of it climbs.

    `outward` runs from the origin to the neighbour it was heard from, without prepends.
    """
    hops = [hop(low, high, providers) for low, high in pairwise(outward)]
    if Hop.NOT_PROVIDER in hops:
        at = hops.index(Hop.NOT_PROVIDER)
        return Verdict(PathValidity.INVALID, (at, at + 1))
    return Verdict(PathValidity.UNKNOWN if Hop.NO_ATTESTATION in hops else PathValidity.VALID)


def downstream(outward: Sequence[ASN], providers: Providers) -> Verdict:
    """Verify a path heard from a provider: it climbs, may cross once, and comes down.

    That is also all that can be asked of a path whose receiver is not known. `outward` as for `upstream`.
    """
    count = len(outward)
    up = [hop(low, high, providers) for low, high in pairwise(outward)]
    down = [hop(low, high, providers) for high, low in pairwise(outward)][::-1]
    longest_up, longest_down = (_ramp(each, Hop.NOT_PROVIDER) for each in (up, down))
    if longest_up + longest_down < count:
        return Verdict(PathValidity.INVALID, (longest_up - 1, count - longest_down))
    attested = sum(_ramp(each, Hop.NOT_PROVIDER, Hop.NO_ATTESTATION) for each in (up, down))
    return Verdict(PathValidity.VALID if attested >= count else PathValidity.UNKNOWN)


def _ramp(hops: Sequence[Hop], *ends: Hop) -> int:
    """Give how many networks a ramp has before the first hop that ends it."""
    return next((at for at, each in enumerate(hops) if each in ends), len(hops)) + 1
