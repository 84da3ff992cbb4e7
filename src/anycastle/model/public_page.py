"""What the public is told of a fleet. Nothing is, unless the operator names it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Detail(Enum):
    """How much of a component the public sees. Each says more than the one before."""

    WHOLE = "whole"
    """The service as one thing."""
    REGIONS = "regions"
    """How it stands in each region, too."""
    POPS = "pops"
    """How it stands at each PoP, by the name of its city."""


@dataclass(frozen=True, slots=True)
class PublicComponent:
    """A service, under the name by which its users know it."""

    name: str
    service: str
    description: str = ""
    detail: Detail = Detail.WHOLE


@dataclass(frozen=True, slots=True)
class PublicPage:
    """What stands on the public status page."""

    name: str = ""
    """Whose page it is; the fleet's name where nothing is written."""
    url: str = ""
    """Where the public reads it."""
    components: tuple[PublicComponent, ...] = ()

    @property
    def is_public(self) -> bool:
        """Tell whether anything is."""
        return bool(self.components)


NOTHING_PUBLIC: Final = PublicPage()
