"""What the controller's engine asks of the fleet folders: what units mean, and what PoPs are told for them."""

from collections.abc import Collection, Iterable
from typing import Protocol

from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix
from anycastle.rollout.desired import Desired, Unit


class Composer(Protocol):
    """What the fleet folders mean: they are kept outside of the engine, and cached."""

    def pops(self, desired: Desired) -> Collection[str]:
        """Give all PoPs that are told something."""
        ...

    def knows(self, revision: str) -> bool:
        """Tell whether a revision is at hand."""
        ...

    def digest(self, pop: str, desired: Desired) -> str | None:
        """Give the digest of a PoP's assignment; None where it is to do nothing."""
        ...

    def differing(self, desired: Desired, revision: str, prefixes: Collection[Prefix] | None = None) -> frozenset[Unit]:
        """Give the units that are not in a revision what they are desired to be; of all prefixes, or of some."""
        ...

    def served(self, pop: str, desired: Desired) -> Collection[str]:
        """Give the names of the services that a PoP is desired to serve."""
        ...

    def in_force(self, desired: Desired) -> Fleet:
        """Give the fleet with the highest floor of each service that any PoP is desired to hold to."""
        ...

    def below_floor(self, units: Iterable[Unit], desired: Desired) -> str | None:
        """Tell why units may not become what is desired now: what would be left announcing is below a floor."""
        ...

    def drained_below_floor(self, pops: Collection[str], services: Collection[str], desired: Desired) -> str | None:
        """Tell why services may not be drained at some PoPs."""
        ...
