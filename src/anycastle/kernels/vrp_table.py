"""Validated ROA payloads as columns, and route origin validation by them (RFC 6811).

Theory of operation. The rows of a family are sorted by (length, network, ASN, maximum length), so that those of one
length are a slice. A route of length L is covered by rows of the lengths 0 to L whose network equals the route's, cut
to that length: one binary search a length that occurs, for all routes of a question at once. An update makes a new
table: each changed row is looked up, and the columns are copied around it. Only an update of more than `MERGED_MAX`
rows, such as a cache's first answer, sorts all anew.

Networks are uint32 for IPv4 and 16 octets for IPv6; NumPy leaves trailing zero octets out of a comparison, which
changes no order here, since all are of one size.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.asn import ASN
from anycastle.model.prefix import Family, Prefix
from anycastle.model.rpki import VRP, Validity

NO_EXPIRY: Final = 0
"""The expiry of a row whose source tells none, as RTR does."""

MERGED_MAX: Final = 4_096
"""Rows of an update that are looked up one by one; beyond it sorting all is as fast."""

_NETWORK: Final = {Family.IPV4: np.dtype(np.uint32), Family.IPV6: np.dtype("S16")}
_CODES: Final = (Validity.NOT_FOUND, Validity.INVALID, Validity.VALID)


@dataclass(frozen=True, slots=True)
class VRPColumns:
    """Rows of one family: `network` uint32 or S16 (big-endian), `length` and `max_length` uint8, `asn` uint32.

    `expires` uint32, seconds since 1970, `NO_EXPIRY` where it is not known.
    """

    network: NDArray[np.generic]
    length: NDArray[np.uint8]
    max_length: NDArray[np.uint8]
    asn: NDArray[np.uint32]
    expires: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.asn)

    @property
    def octets(self) -> int:
        """Memory that the columns take."""
        return sum(column.nbytes for column in self._columns())

    def take(self, rows: NDArray[np.generic]) -> Self:
        """Give the rows at these places, or under this mask."""
        return type(self)(*(column[rows] for column in self._columns()))

    def joined(self, other: Self) -> Self:
        """Give the rows of both."""
        pairs = zip(self._columns(), other._columns(), strict=True)
        return type(self)(*(np.concatenate(pair) for pair in pairs))

    def sorted(self) -> Self:
        """Give the rows in the table's order, each once: of equal ones that which expires last."""
        order = np.lexsort((self.expires, self.max_length, self.asn, self.network, self.length))
        rows = self.take(order)
        if len(rows) < 2:
            return rows
        keys = (rows.length, rows.network, rows.asn, rows.max_length)
        differs = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        return rows.take(np.append(differs, True))

    def _columns(self) -> tuple[NDArray[np.generic], ...]:
        return self.network, self.length, self.max_length, self.asn, self.expires


def columns_of(family: Family, vrps: Iterable[VRP], expires: int = NO_EXPIRY) -> VRPColumns:
    """Give VRPs of one family as rows. Raises `MisuseError` for one of the other family."""
    rows = list(vrps)
    if any(vrp.prefix.family is not family for vrp in rows):
        raise MisuseError(f"not all VRPs are of {family}")
    networks: list[int] | list[bytes] = [vrp.prefix.network for vrp in rows]
    if family is Family.IPV6:
        networks = [vrp.prefix.network.to_bytes(16, "big") for vrp in rows]
    return VRPColumns(
        np.array(networks, _NETWORK[family]),
        np.array([vrp.prefix.length for vrp in rows], np.uint8),
        np.array([vrp.max_length for vrp in rows], np.uint8),
        np.array([vrp.asn for vrp in rows], np.uint32),
        np.full(len(rows), expires, np.uint32),
    )


class VRPTable:
    """All VRPs of one moment. `update` gives a new table; a table never changes."""

    def __init__(self, ipv4: VRPColumns, ipv6: VRPColumns) -> None:
        """Take rows in any order, also repeated."""
        self._families = {Family.IPV4: ipv4.sorted(), Family.IPV6: ipv6.sorted()}
        self._starts = {family: _starts(rows) for family, rows in self._families.items()}

    @classmethod
    def of(cls, vrps: Iterable[VRP]) -> Self:
        """Give the table of a few VRPs."""
        rows = list(vrps)
        return cls(*(columns_of(family, (vrp for vrp in rows if vrp.prefix.family is family)) for family in _NETWORK))

    def __len__(self) -> int:
        return sum(map(len, self._families.values()))

    @property
    def octets(self) -> int:
        """Memory that the columns take."""
        return sum(rows.octets for rows in self._families.values())

    def rows(self, family: Family) -> VRPColumns:
        """Give the rows of a family, sorted by length, network, ASN and maximum length."""
        return self._families[family]

    def validity(self, prefix: Prefix, origin: ASN) -> Validity:
        """Give the validity of a route's origin (RFC 6811 §2). An AS_SET's origin is 0, which no VRP makes valid."""
        network = _networks(prefix.family, [prefix.network])
        codes = self.validate(prefix.family, network, np.array([prefix.length]), np.array([origin]))
        return _CODES[int(codes[0])]

    def validate(
        self,
        family: Family,
        network: NDArray[np.generic],
        length: NDArray[np.integer],
        origin: NDArray[np.integer],
    ) -> NDArray[np.uint8]:
        """Give uint8[route]: 0 not found, 1 invalid, 2 valid. `network` is uint32, or S16 for IPv6.

        Source: RFC 6811 §2; AS0 as RFC 7607 and RFC 6483 §4 have it: covers, and matches nothing.
        """
        codes = np.zeros(len(length), np.uint8)
        rows = self._families[family]
        for covering, first, behind in self._slices(family):
            asked = np.flatnonzero(length >= covering)
            if not len(asked):
                break
            keys = _cut(family, network[asked], covering)
            found = rows.network[first:behind]
            at, to = (np.searchsorted(found, keys, side) + first for side in ("left", "right"))
            codes[asked] = np.maximum(codes[asked], at < to)
            while len(open_ := np.flatnonzero(at < to)):
                asked, at, to = asked[open_], at[open_], to[open_]
                matches = (
                    (rows.asn[at] == origin[asked]) & (rows.max_length[at] >= length[asked]) & (origin[asked] != 0)
                )
                codes[asked[matches]] = 2
                at = at + 1
        return codes

    def covering(self, prefix: Prefix) -> tuple[VRP, ...]:
        """Give the VRPs whose prefix contains this one, the shortest first."""
        rows, found = self._families[prefix.family], []
        for covering, first, behind in self._slices(prefix.family):
            if covering > prefix.length:
                break
            key = _cut(prefix.family, _networks(prefix.family, [prefix.network]), covering)
            slice_ = rows.network[first:behind]
            at, to = (int(np.searchsorted(slice_, key, side)[0]) + first for side in ("left", "right"))
            found += [_vrp(prefix.family, rows, row) for row in range(at, to)]
        return tuple(found)

    def within(self, prefix: Prefix) -> tuple[VRP, ...]:
        """Give the VRPs whose prefix lies in this one, itself included."""
        family = prefix.family
        rows = self._families[family]
        inside = (rows.length >= prefix.length) & (
            _cut(family, rows.network, prefix.length) == _networks(family, [prefix.network])[0]
        )
        return tuple(_vrp(family, rows, int(row)) for row in np.flatnonzero(inside))

    def expiry(self, vrp: VRP) -> int | None:
        """Give when a VRP expires, in seconds since 1970; None where that, or the VRP, is not known."""
        family = vrp.prefix.family
        rows = self._families[family]
        ((place, there),) = _places(rows, columns_of(family, [vrp]))
        expires = int(rows.expires[place]) if there else NO_EXPIRY
        return None if expires == NO_EXPIRY else expires

    def update(self, announced: Iterable[VRP], withdrawn: Iterable[VRP]) -> "VRPTable":
        """Give the table with some VRPs more and some less; what is not there to be withdrawn is passed over."""
        more, less = list(announced), list(withdrawn)
        changed = []
        for family, rows in self._families.items():
            gone = columns_of(family, (vrp for vrp in less if vrp.prefix.family is family))
            fresh = columns_of(family, (vrp for vrp in more if vrp.prefix.family is family))
            if len(gone) + len(fresh) > MERGED_MAX:
                kept = rows.take(~_present(rows, gone)) if len(gone) else rows
                changed.append(kept.joined(fresh).sorted())
            else:
                changed.append(_merged(_without(rows, gone), fresh))
        return VRPTable._of_sorted(*changed)

    @classmethod
    def _of_sorted(cls, ipv4: VRPColumns, ipv6: VRPColumns) -> Self:
        table = cls.__new__(cls)
        table._families = {Family.IPV4: ipv4, Family.IPV6: ipv6}
        table._starts = {family: _starts(rows) for family, rows in table._families.items()}
        return table

    def _slices(self, family: Family) -> Iterator[tuple[int, int, int]]:
        """Give (length, first row, row behind the last) of each length that occurs."""
        starts = self._starts[family]
        for length in range(family.bits + 1):
            if starts[length] < starts[length + 1]:
                yield length, int(starts[length]), int(starts[length + 1])


def _starts(rows: VRPColumns) -> NDArray[np.int64]:
    return np.searchsorted(rows.length, np.arange(130)).astype(np.int64)


def _networks(family: Family, networks: Iterable[int]) -> NDArray[np.generic]:
    if family is Family.IPV4:
        return np.array(list(networks), np.uint32)
    return np.array([network.to_bytes(16, "big") for network in networks], "S16")


def _cut(family: Family, network: NDArray[np.generic], length: int) -> NDArray[np.generic]:
    """Give networks with all bits beyond `length` cleared."""
    if family is Family.IPV4:
        return network & np.uint32((0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF)  # type: ignore[operator]
    mask = np.frombuffer(((1 << 128) - (1 << (128 - length))).to_bytes(16, "big"), np.uint8)
    octets = np.ascontiguousarray(network).view(np.uint8).reshape(-1, 16) & mask
    return octets.view("S16").reshape(-1)


def _without(rows: VRPColumns, those: VRPColumns) -> VRPColumns:
    """Give sorted rows without the few that are among `those`."""
    found = [place for place, there in _places(rows, those) if there]
    if not found:
        return rows
    kept = np.ones(len(rows), np.bool_)
    kept[found] = False
    return rows.take(kept)


def _merged(rows: VRPColumns, those: VRPColumns) -> VRPColumns:
    """Give sorted rows with a few more; one that is there stays as it is."""
    those = those.sorted()
    fresh = [(place, row) for row, (place, there) in enumerate(_places(rows, those)) if not there]
    if not fresh:
        return rows
    places, which = (np.array(each) for each in zip(*fresh, strict=True))
    pairs = zip(rows._columns(), those.take(which)._columns(), strict=True)
    return VRPColumns(*(np.insert(column, places, more) for column, more in pairs))


def _places(rows: VRPColumns, those: VRPColumns) -> Iterator[tuple[int, bool]]:
    """Give of each of `those` where it is among sorted rows or would have to be, and whether it is there."""
    starts = _starts(rows)
    for row in range(len(those)):
        length = int(those.length[row])
        first, behind = int(starts[length]), int(starts[length + 1])
        network = those.network[row : row + 1]
        same = rows.network[first:behind]
        at, to = (first + int(np.searchsorted(same, network, side)[0]) for side in ("left", "right"))
        wanted = int(those.asn[row]), int(those.max_length[row])
        while at < to and (int(rows.asn[at]), int(rows.max_length[at])) < wanted:
            at += 1
        yield at, at < to and (int(rows.asn[at]), int(rows.max_length[at])) == wanted


def _present(rows: VRPColumns, those: VRPColumns) -> NDArray[np.bool_]:
    """Give a mask of the rows that are among `those`."""
    wanted = {_key(those, row) for row in range(len(those))}
    mask = np.zeros(len(rows), np.bool_)
    for row in np.flatnonzero(np.isin(rows.asn, those.asn) & np.isin(rows.network, those.network)):
        mask[row] = _key(rows, int(row)) in wanted
    return mask


def _key(rows: VRPColumns, row: int) -> tuple[object, ...]:
    return rows.network[row], rows.length[row], rows.asn[row], rows.max_length[row]


def _vrp(family: Family, rows: VRPColumns, row: int) -> VRP:
    network = rows.network[row]
    number = int(network) if family is Family.IPV4 else int.from_bytes(bytes(network).ljust(16, b"\0"), "big")
    prefix = Prefix(family, number, int(rows.length[row]))
    return VRP(prefix, int(rows.max_length[row]), ASN(int(rows.asn[row])))
