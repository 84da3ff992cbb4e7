"""One integer per AS and configuration: the route that it has chosen.

Theory of operation. From the highest bit down: class (2 bits: 0 from a customer or own, 1 from a peer, 2 from a
provider, 3 none), AS_PATH length, rank of the next hop's ASN, session group. So an AS's choice (class, then length,
then lowest neighbour ASN) is the unsigned minimum of what it is offered, and propagation is minima and additions.

In 32 bits a length has 6, a rank 17, a group 7: enough for the Internet of today. In 64 bits: 16, 32, 14. A field never
wraps: whoever propagates looks at the longest length that was passed on, and takes 64 bits where it reached the field's
end (`LENGTH_MAX`); what does not fit 64 bits is refused.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError

CUSTOMER: Final = 0
PEER: Final = 1
PROVIDER: Final = 2
NO_ROUTE: Final = 3


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """Where the fields are. `constants` is what kernels are given: the layout's own dtype, by the indices below."""

    length_bits: int
    rank_bits: int
    group_bits: int
    dtype: type[np.unsignedinteger]
    constants: NDArray[np.unsignedinteger] = field(repr=False, compare=False)

    @property
    def rank_shift(self) -> int:
        """Bits below the rank."""
        return self.group_bits

    @property
    def length_shift(self) -> int:
        """Bits below the length."""
        return self.group_bits + self.rank_bits

    @property
    def class_shift(self) -> int:
        """Bits below the class."""
        return self.length_shift + self.length_bits

    @property
    def length_max(self) -> int:
        """The longest length that the field holds; a route as long as that is not passed on."""
        return (1 << self.length_bits) - 1

    def fits(self, ranks: int, groups: int, length: int) -> bool:
        """Tell whether the fields hold that many ranks and groups, and pass on a route of that length."""
        return ranks <= 1 << self.rank_bits and groups <= 1 << self.group_bits and length < self.length_max

    def next_hops(self, ranks: NDArray[np.uint32]) -> NDArray[np.unsignedinteger]:
        """Give each rank in its place in a key."""
        shifted: NDArray[np.unsignedinteger] = ranks.astype(self.dtype) << self.dtype(self.rank_shift)
        return shifted

    def key(self, class_: int, length: int, rank: int, group: int) -> int:
        """Give a key of these fields."""
        return class_ << self.class_shift | length << self.length_shift | rank << self.rank_shift | group


ONE_LENGTH: Final = 0
KEEP: Final = 1
AS_PEER: Final = 2
AS_PROVIDER: Final = 3
NONE: Final = 4
LENGTH: Final = 5
GROUP: Final = 6
RANK: Final = 7
RANK_SHIFT: Final = 8
LENGTH_SHIFT: Final = 9
CLASS_SHIFT: Final = 10
ZERO: Final = 11
"""Indices of `KeyLayout.constants`: what adds one to the length; the mask of length and group, which an export keeps;
the class bits of a route from a peer and from a provider; no route; the masks of length, group and rank (the last one
before its shift); the shifts; 0 in the dtype."""


def _layout(length_bits: int, rank_bits: int, group_bits: int, dtype: type[np.unsignedinteger]) -> KeyLayout:
    length_shift = group_bits + rank_bits
    class_shift = length_shift + length_bits
    length, group = ((1 << length_bits) - 1) << length_shift, (1 << group_bits) - 1
    values = [1 << length_shift, length | group, PEER << class_shift, PROVIDER << class_shift, NO_ROUTE << class_shift]
    values += [length, group, (1 << rank_bits) - 1, group_bits, length_shift, class_shift, 0]
    constants = np.array(values, dtype)
    constants.flags.writeable = False
    return KeyLayout(length_bits, rank_bits, group_bits, dtype, constants)


NARROW: Final = _layout(6, 17, 7, np.uint32)
WIDE: Final = _layout(16, 32, 14, np.uint64)


def choose_layout(ranks: int, groups: int, length: int) -> KeyLayout:
    """Give the narrowest layout that holds so many ranks and groups, and a route of that length.

    Raises `MisuseError` where none does.
    """
    for layout in (NARROW, WIDE):
        if layout.fits(ranks, groups, length):
            return layout
    raise MisuseError(
        f"{groups} session groups and an AS_PATH of {length} do not fit; the most are {1 << WIDE.group_bits} "
        f"and {WIDE.length_max - 1}"
    )
