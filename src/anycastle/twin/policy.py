"""Who drops what is wrong: adopters of ROV, ASPA and Only to Customer, as masks over the graph.

Theory of operation. An adopter has a bit per policy. A session group is at fault in the eyes of a policy, for routes
that come from certain neighbours; the kernels drop an offer when the two meet. So one graph and one kernel serve every
scenario: what differs are two small tables.

Source: RFC 6811 (origin validation), RFC 9234 (Only to Customer), draft-ietf-sidrops-aspa-verification (ASPA).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from anycastle.twin.graph import ASGraph


class Policy(IntFlag):
    """What an AS verifies. The values are bits of an adopter's mask."""

    ROV = 1
    """Route origin validation: a route whose origin has no right to the prefix is dropped."""
    ASPA = 2
    """A path with a hop that its AS never attested as its provider, or through a valley, is dropped."""
    OTC = 4
    """A route marked for customers only is dropped when a customer or peer sends it."""


@dataclass(frozen=True, slots=True)
class Adopters:
    """The policies of each AS, uint8[node]."""

    bits: NDArray[np.uint8]

    @staticmethod
    def of(graph: ASGraph, adopters: Mapping[Policy, Iterable[int]]) -> "Adopters":
        """Give the mask; ASNs that the graph does not have are left out."""
        bits = np.zeros(len(graph), np.uint8)
        for policy, asns in adopters.items():
            nodes = graph.nodes(np.fromiter(asns, np.uint32))
            bits[nodes[nodes >= 0]] |= policy.value
        return Adopters(bits)

    def count(self, policy: Policy) -> int:
        """Give how many ASes have the policy."""
        return int(np.count_nonzero(self.bits & policy.value))


@dataclass(frozen=True, slots=True)
class Fault:
    """A group's routes are wrong in the eyes of `policy`, where they come from one of these classes of neighbours."""

    group: int
    policy: Policy
    classes: tuple[int, ...] = (0, 1, 2)
    """0 a customer, 1 a peer, 2 a provider."""


def fault_table(faults: Iterable[Fault], groups: int) -> NDArray[np.uint8]:
    """Give the policies that drop a group's route, uint8[class, group]."""
    table = np.zeros((3, max(1, groups)), np.uint8)
    for fault in faults:
        for class_ in fault.classes:
            table[class_, fault.group] |= fault.policy.value
    return table
