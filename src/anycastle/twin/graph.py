"""The graph of ASes: who provides for whom, who peers with whom, in the order that propagation needs.

Theory of operation. Nodes are sorted by (level, ASN), where the level is the longest chain of customers below an AS. So
every provider stands after all of its customers: a pass upwards through the nodes sees each customer before its
providers, a pass downwards each provider before its customers, and leaves (no customers) come first. Neighbours of a
node are kept in rows (compressed sparse rows). `rank` is a node's place among all ASNs; a route is tied by the lowest
ASN of its neighbour, and a rank fits fewer bits than an ASN.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError, ParseError
from anycastle.kernels.relations import PEER_TO_PEER, PROVIDER_TO_CUSTOMER, levels, place
from anycastle.model.asn import ASN

CIRCLE_SHOWN_MAX: Final = 12
"""ASes of a circle of providers that an error names."""


class Link(NamedTuple):
    """One adjacency: `a` provides for `b` (relation -1), or they peer (0)."""

    a: ASN
    b: ASN
    relation: int


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a graph came from: for people, and so that no figure stands without its date."""

    name: str = "synthetic"
    date: str = ""
    """Of the observation, YYYY-MM-DD; empty where the source has none."""
    digest: str = ""
    """Of the file's octets; empty where the graph was made here."""
    clique: tuple[ASN, ...] = ()
    ixps: tuple[ASN, ...] = ()
    own_links: int = 0
    """Adjacencies that were added to what the source had."""


@dataclass(frozen=True, slots=True)
class Links:
    """All adjacencies as columns: `left` and `right` uint32[link], `relation` int8[link] (-1: left provides; 0)."""

    left: NDArray[np.uint32]
    right: NDArray[np.uint32]
    relation: NDArray[np.int8]

    @staticmethod
    def of(links: Iterable[Link]) -> "Links":
        """Give the columns of single links."""
        rows = np.array([tuple(link) for link in links], np.int64).reshape(-1, 3)
        return Links(rows[:, 0].astype(np.uint32), rows[:, 1].astype(np.uint32), rows[:, 2].astype(np.int8))

    def joined(self, other: "Links") -> "Links":
        """Give both; where they differ on a pair, `other` is right."""
        drop = np.isin(self.pairs(), other.pairs())
        return Links(
            np.concatenate([self.left[~drop], other.left]),
            np.concatenate([self.right[~drop], other.right]),
            np.concatenate([self.relation[~drop], other.relation]),
        )

    def pairs(self) -> NDArray[np.uint64]:
        """Give a number for each link that is the same for both directions, uint64[link]."""
        low, high = np.minimum(self.left, self.right), np.maximum(self.left, self.right)
        pairs: NDArray[np.uint64] = (low.astype(np.uint64) << np.uint64(32)) | high
        return pairs

    def __len__(self) -> int:
        return len(self.left)


@dataclass(frozen=True, slots=True)
class ASGraph:
    """The graph as arrays; a node is an index into `asn`, and its providers are `providers(node)`."""

    asn: NDArray[np.uint32]
    """uint32[as], in the order of (level, ASN)."""
    rank: NDArray[np.uint32]
    """uint32[as]: the node's place among all ASNs."""
    level: NDArray[np.int32]
    provider_start: NDArray[np.int32]
    provider: NDArray[np.int32]
    customer_start: NDArray[np.int32]
    customer: NDArray[np.int32]
    peer_start: NDArray[np.int32]
    peer: NDArray[np.int32]
    by_rank: NDArray[np.int32]
    """int32[as]: the node at each rank."""
    by_asn: NDArray[np.uint32]
    """uint32[as]: the ASN at each rank, ascending."""
    origin: Origin = field(default_factory=Origin)

    def __len__(self) -> int:
        return len(self.asn)

    @property
    def leaves(self) -> int:
        """How many nodes have no customer; they are the first ones."""
        return int(np.searchsorted(self.level, 1))

    @property
    def depth(self) -> int:
        """The longest chain of customers, in links."""
        return int(self.level[-1]) if len(self) else 0

    @property
    def link_count(self) -> int:
        """Adjacencies, each counted once."""
        return len(self.provider) + len(self.peer) // 2

    def nodes(self, asns: Sequence[int] | NDArray[np.uint32]) -> NDArray[np.int32]:
        """Give the node of each ASN, int32[n]; -1 for an ASN that is not in the graph."""
        asked = np.asarray(asns, np.uint32)
        if not len(self):
            return np.full(len(asked), -1, np.int32)
        ascending = self.by_asn
        at = np.minimum(np.searchsorted(ascending, asked), len(self) - 1)
        found: NDArray[np.int32] = np.where(ascending[at] == asked, self.by_rank[at], -1).astype(np.int32)
        return found

    def node(self, asn: int) -> int:
        """Give the node of an ASN. Raises `MisuseError` where the graph does not have it."""
        found = int(self.nodes([asn])[0])
        if found < 0:
            raise MisuseError(f"AS{asn} is not in the graph {self.origin.name} of {self.origin.date or 'no date'}")
        return found

    def providers(self, node: int) -> NDArray[np.int32]:
        """Give the nodes that provide for `node`, by ascending ASN."""
        return self.provider[self.provider_start[node] : self.provider_start[node + 1]]

    def customers(self, node: int) -> NDArray[np.int32]:
        """Give the nodes that `node` provides for, by ascending ASN."""
        return self.customer[self.customer_start[node] : self.customer_start[node + 1]]

    def peers(self, node: int) -> NDArray[np.int32]:
        """Give the nodes that peer with `node`, by ascending ASN."""
        return self.peer[self.peer_start[node] : self.peer_start[node + 1]]

    def links(self) -> Links:
        """Give all adjacencies as columns, each once."""
        below = np.repeat(np.arange(len(self)), np.diff(self.provider_start))
        beside = np.repeat(np.arange(len(self)), np.diff(self.peer_start))
        once = beside < self.peer
        return Links(
            np.concatenate([self.asn[self.provider], self.asn[beside[once]]]),
            np.concatenate([self.asn[below], self.asn[self.peer[once]]]),
            np.repeat(np.array([PROVIDER_TO_CUSTOMER, PEER_TO_PEER], np.int8), [len(self.provider), int(once.sum())]),
        )

    def with_links(self, links: Iterable[Link]) -> "ASGraph":
        """Give the graph with own adjacencies added; they are right where the source says otherwise."""
        added = Links.of(links)
        origin = replace(self.origin, own_links=self.origin.own_links + len(added))
        return build_graph(self.links().joined(added), origin, self.asn)


def build_graph(links: Links, origin: Origin | None = None, isolated: Iterable[int] = ()) -> ASGraph:
    """Build the graph. `isolated` are ASNs that belong to it also without a link.

    Raises `ParseError` where an AS is its own provider, directly or through others: it names one such circle. A pair
    that is given twice counts once; given with two relations, it is an error as well.
    """
    origin = origin or Origin()
    links = _without_repeats(links)
    asn = np.unique(np.concatenate([links.left, links.right, np.fromiter(isolated, np.uint32)]))
    left = np.searchsorted(asn, links.left).astype(np.int32)
    right = np.searchsorted(asn, links.right).astype(np.int32)
    transit = links.relation == PROVIDER_TO_CUSTOMER
    above, below = left[transit], right[transit]
    start, providers = _rows(len(asn), below, above)
    level, placed = levels(start, providers, np.bincount(above, minlength=len(asn)).astype(np.int64))
    if placed < len(asn):
        raise ParseError(f"{origin.name}: {_circle(asn, start, providers, level)}")
    by_node = np.argsort(level, kind="stable").astype(np.int32)  # node -> rank
    by_rank = np.empty(len(asn), np.int32)
    by_rank[by_node] = np.arange(len(asn), dtype=np.int32)
    above, below = by_rank[above], by_rank[below]
    one, other = by_rank[left[~transit]], by_rank[right[~transit]]
    return _frozen(
        asn[by_node],
        by_node.astype(np.uint32),
        level[by_node],
        *_rows(len(asn), below, above, by_node),
        *_rows(len(asn), above, below, by_node),
        *_rows(len(asn), np.concatenate([one, other]), np.concatenate([other, one]), by_node),
        by_rank,
        asn,
        origin,
    )


def _frozen(*fields: Any) -> ASGraph:
    """Give the graph of these fields, to whose arrays nobody can write."""
    for array in fields[:-1]:
        array.flags.writeable = False
    return ASGraph(*fields)


def _without_repeats(links: Links) -> Links:
    """Give each pair once. Raises `ParseError` where two lines contradict each other."""
    pairs = links.pairs()
    order = np.argsort(pairs, kind="stable")
    again = np.flatnonzero(pairs[order][1:] == pairs[order][:-1])
    if not len(again):
        return links
    one, other = order[again], order[again + 1]
    same = (links.relation[one] == links.relation[other]) & (
        (links.left[one] == links.left[other]) | (links.relation[one] == PEER_TO_PEER)
    )
    if not same.all():
        at = one[~same][0]
        raise ParseError(f"AS{links.left[at]} and AS{links.right[at]} are related in two ways that exclude each other")
    keep = np.ones(len(links), np.bool_)
    keep[other] = False
    return Links(links.left[keep], links.right[keep], links.relation[keep])


def _rows(
    nodes: int, source: NDArray[np.int32], target: NDArray[np.int32], rank: NDArray[np.int32] | None = None
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Give the rows of `source`: start int32[node + 1] and targets, in a row by ascending ASN."""
    start = np.zeros(nodes + 1, np.int32)
    np.cumsum(np.bincount(source, minlength=nodes), out=start[1:])
    if rank is not None:
        order = np.argsort(rank[target], kind="stable")
        source, target = source[order], target[order]
    return start, place(start, source, target)


def _circle(
    asn: NDArray[np.uint32], start: NDArray[np.int32], providers: NDArray[np.int32], level: NDArray[np.int32]
) -> str:
    """Describe one circle: from any AS left over, down to a customer left over, until one comes again."""
    stuck = {int(each) for each in np.flatnonzero(level < 0)}
    customer_of = {int(p): each for each in stuck for p in providers[start[each] : start[each + 1]] if int(p) in stuck}
    at, seen = min(each for each in stuck if each in customer_of), list[int]()
    while at not in seen:
        seen.append(at)
        at = customer_of[at]
    circle = [*seen[seen.index(at) :], at]
    names = [f"AS{asn[each]}" for each in circle]
    if len(names) > CIRCLE_SHOWN_MAX:
        names = [*names[:CIRCLE_SHOWN_MAX], f"... ({len(circle) - 1} ASes)"]
    return f"providers go in a circle: {' provides for '.join(names)}"
