"""`fleet.yaml`."""

from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator, Field, PlainValidator

from anycastle.base.errors import ParseError
from anycastle.io.config.findings import FindingKind
from anycastle.io.config.scalars import ASNText, Name, NameReference, one_of, refuse, words_schema
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.shapes.controller import ControllerShape
from anycastle.io.config.shapes.notify import NotifyShape
from anycastle.io.config.shapes.status import StatusShape
from anycastle.io.config.shapes.watch import WatchShape
from anycastle.model.fleet import SharedPrefix
from anycastle.model.prefix import parse_prefix


def _prefix_key(key: Any) -> str:
    try:
        parse_prefix(key)
    except ParseError as error:
        raise refuse(FindingKind.BAD_VALUE, str(error)) from None
    return str(key)


SharedPrefixWord = Annotated[SharedPrefix, PlainValidator(one_of(SharedPrefix)), words_schema(SharedPrefix)]


class FleetShape(Shape):
    """The fleet: one anycast network."""

    passes_over_x: ClassVar[bool] = True

    name: Name = Field(description="Name of the fleet.")
    asn: ASNText = Field(description="The fleet's own AS number: `64500`, `AS64500` or `1.10`.")
    regions: Annotated[tuple[NameReference, ...], ITEMS] = Field(
        description="Names of the regions that PoPs belong to."
    )
    shared_prefixes: Annotated[dict[Annotated[str, AfterValidator(_prefix_key)], SharedPrefixWord], ENTRIES] | None = (
        Field(
            None,
            description="Prefixes that several services share, each with when it is withdrawn from a PoP: "
            "`all` (only when all of its services are down there) or `any` (as soon as one is).",
        )
    )
    controller: ControllerShape | None = Field(
        None, description="How agents reach the controllers, which deal withdraw permits then."
    )
    watch: WatchShape | None = Field(None, description="What the Internet may show of the prefixes.")
    notify: NotifyShape | None = Field(None, description="Who is told of incidents, and by which way.")
    status: StatusShape | None = Field(None, description="What the public is told; nothing without it.")


FLEET_FILE: Final = "fleet.yaml"
