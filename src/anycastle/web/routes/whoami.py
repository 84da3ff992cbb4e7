"""Who asks."""

from typing import Any, Final

from fastapi import APIRouter

from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.shapes import WhoAmI

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["people"])


@ROUTER.get("/whoami", response_model=WhoAmI)
async def whoami(asker: Asker) -> Any:
    """Tell who you are, and what you may."""
    services = asker.grant.services
    return {
        "name": asker.name, "principal": asker.principal, "role": asker.grant.role.value,
        "services": None if services is None else sorted(services),
    }  # fmt: skip
