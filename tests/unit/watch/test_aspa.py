"""Paths that go up and down: by hand, and against a plain search for the place where a route could have turned."""

from itertools import pairwise, product

import pytest

from anycastle.model.asn import ASN
from anycastle.watch.aspa import Hop, PathValidity, downstream, hop, upstream

VALID, INVALID, UNKNOWN = PathValidity.VALID, PathValidity.INVALID, PathValidity.UNKNOWN
ASPAS = {1: {10}, 10: {20}, 2: {11}, 11: {20, 21}, 5: {0}, 20: {0}, 21: {0}}
"""Two branches below the top networks 20 and 21, which say that they have no provider; 30 says nothing."""


def providers(asn: ASN) -> frozenset[ASN] | None:
    told = ASPAS.get(asn)
    return None if told is None else frozenset(map(ASN, told))


def path(*asns: int) -> tuple[ASN, ...]:
    return tuple(map(ASN, asns))


def test_a_hop() -> None:
    assert hop(ASN(1), ASN(10), providers) is Hop.PROVIDER
    assert hop(ASN(1), ASN(11), providers) is Hop.NOT_PROVIDER
    assert hop(ASN(20), ASN(21), providers) is Hop.NOT_PROVIDER
    assert hop(ASN(30), ASN(20), providers) is Hop.NO_ATTESTATION


@pytest.mark.mission("F1", "C11")
@pytest.mark.parametrize(
    ("outward", "up", "down"),
    [
        (path(1), VALID, VALID),
        (path(1, 10, 20), VALID, VALID),
        (path(1, 10, 20, 11, 2), INVALID, VALID),  # up and down again
        (path(1, 10, 20, 21, 11, 2), INVALID, VALID),  # over a peering at the top
        (path(30, 20, 11), INVALID, VALID),
        (path(1, 10, 30), INVALID, VALID),  # 30 may be a peer of 10
        (path(1, 10, 30, 31), INVALID, UNKNOWN),
        (path(30, 31, 32), UNKNOWN, UNKNOWN),
        (path(1, 10, 20, 11, 21), INVALID, INVALID),  # a customer hands one provider's route to the other
        (path(1, 11, 20), INVALID, INVALID),  # 1 says that 11 is none of its providers, and 20 has none
    ],
)
def test_known_paths(outward: tuple[ASN, ...], up: PathValidity, down: PathValidity) -> None:
    assert upstream(outward, providers).path is up
    assert downstream(outward, providers).path is down


def test_the_leaker_stands_between_the_two_denials() -> None:
    assert downstream(path(1, 10, 20, 11, 21), providers).turns == (2, 4)
    assert downstream(path(1, 11, 20), providers).turns == (0, 2)


@pytest.mark.mission("F1")
def test_a_downstream_path_is_judged_as_by_trying_every_turning_point() -> None:
    networks = (1, 2, 10, 11, 20, 21, 30)
    for length in (1, 2, 3, 4):
        for asns in product(networks, repeat=length):
            if all(one != next_ for one, next_ in pairwise(asns)):
                assert downstream(path(*asns), providers).path is by_trying(path(*asns)), asns


def by_trying(outward: tuple[ASN, ...]) -> PathValidity:
    """Some apex, or pair of peers beside each other, from which all hops to the origin and to the receiver climb."""
    best = INVALID
    for top in range(len(outward)):
        for over in (top, top + 1):
            if over >= len(outward):
                continue
            hops = [hop(outward[at], outward[at + 1], providers) for at in range(top)]
            hops += [hop(outward[at], outward[at - 1], providers) for at in range(over + 1, len(outward))]
            if Hop.NOT_PROVIDER in hops:
                continue
            if Hop.NO_ATTESTATION not in hops:
                return VALID
            best = UNKNOWN
    return best
