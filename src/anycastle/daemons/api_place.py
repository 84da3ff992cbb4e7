"""Where the API is served: known before anything of the API is loaded."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from anycastle.base.errors import MisuseError


@dataclass(frozen=True, slots=True)
class ApiPlace:
    """Where the API is served, and with which certificate."""

    address: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def require_safe(place: ApiPlace) -> None:
    """Raise `MisuseError` for a place where tokens would go over a network in the clear."""
    if place.certificate is None:
        try:
            local = ip_address(place.address).is_loopback
        except ValueError as error:
            raise MisuseError(f"{place.address!r} is no address: write one such as 127.0.0.1:8443") from error
        if not local:
            raise MisuseError(
                f"tokens would go to {place.address} in the clear: give --api-certificate, or listen on 127.0.0.1 "
                "behind a server that speaks TLS"
            )
