"""Router drivers: one module each, behind the contract of `contract.py`."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from anycastle.io.routers.contract import RouterDriver
from anycastle.model.asn import ASN
from anycastle.model.pop import PoP

DRIVERS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "bird": ("anycastle.io.routers.bird", "BirdDriver"),
        "embedded": ("anycastle.io.routers.embedded", "EmbeddedDriver"),
    }
)
"""Name -> module and class. The class is made of (ASN, PoP, run directory); imported only where it is used."""


@dataclass(frozen=True, slots=True)
class DriverChoice:
    """Which driver a PoP uses; a value that can be handed to another process, which then makes its own."""

    asn: ASN
    pop: PoP
    run_dir: Path

    def make(self) -> RouterDriver:
        """Give a driver; it does nothing before its `start`."""
        module, name = DRIVERS[self.pop.router.driver]
        return cast("RouterDriver", getattr(import_module(module), name)(self.asn, self.pop, self.run_dir))
