"""A prefix with the lengths of more-specifics that are meant with it, as filters write them (`ge`, `le`)."""

from dataclasses import dataclass

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Prefix


@dataclass(frozen=True, slots=True, order=True)
class PrefixRange:
    """All prefixes within `prefix` whose length is from `shortest` to `longest`."""

    prefix: Prefix
    shortest: int
    longest: int

    def __post_init__(self) -> None:
        if not self.prefix.length <= self.shortest <= self.longest <= self.prefix.family.bits:
            raise MisuseError(f"{self.prefix} has no more-specifics of /{self.shortest} to /{self.longest}")

    @property
    def exact(self) -> bool:
        """Whether just the prefix itself is meant."""
        return self.shortest == self.longest == self.prefix.length

    def matches(self, prefix: Prefix) -> bool:
        """Tell whether a prefix is meant."""
        return self.shortest <= prefix.length <= self.longest and self.prefix.contains(prefix)

    def __str__(self) -> str:
        return str(self.prefix) if self.exact else f"{self.prefix}{{{self.shortest},{self.longest}}}"


def exactly(prefix: Prefix) -> PrefixRange:
    """Give the range of a prefix alone."""
    return PrefixRange(prefix, prefix.length, prefix.length)
