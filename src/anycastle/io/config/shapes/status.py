"""`status` of `fleet.yaml`: what the public is told."""

from typing import Annotated

from pydantic import Field, PlainValidator

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.scalars import NameReference, Text, one_of, words_schema
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.io.config.shapes.notify import URL
from anycastle.model.public_page import Detail, PublicComponent, PublicPage
from anycastle.response.public_status import key_of

DetailWord = Annotated[Detail, PlainValidator(one_of(Detail)), words_schema(Detail)]


class ComponentShape(Shape):
    """A service that the public sees, under the name by which its users know it."""

    name: Text = Field(description="What its users call it, such as `Name servers`.")
    service: NameReference = Field(description="Name of the service.")
    description: Text | None = Field(None, description="What it does, in a sentence.")
    detail: DetailWord = Field(
        Detail.WHOLE,
        description="`whole`, `regions` (each region too), or `pops` (each PoP too, by its city).",
    )

    def component(self) -> PublicComponent:
        """Give the model's."""
        return PublicComponent(self.name, self.service.value, self.description or "", self.detail)


class StatusShape(Shape):
    """The public status page. Without it nothing is public."""

    name: Text | None = Field(None, description="Whose page it is; the fleet's name by default.")
    url: URL | None = Field(None, description="Where the public reads it, such as `https://status.example.net`.")
    components: Annotated[tuple[ComponentShape, ...], ITEMS] = Field(description="What is public, and nothing else is.")

    def review(self, findings: Findings) -> None:
        """Names are unique, also as keys: they are all that a reader has to tell components apart."""
        seen: dict[str, str] = {}
        for each in self.components:
            key = key_of(each.name)
            if not key:
                each.add(findings, FindingKind.BAD_VALUE, "name", f"{each.name!r} has no letter or digit")
            elif key in seen:
                same = "too" if seen[key] == each.name else f"too: {seen[key]} and {each.name} have one key, {key}"
                each.add(
                    findings, FindingKind.DUPLICATE_NAME, "name", f"another component is called {each.name} {same}"
                )
            seen.setdefault(key, each.name)

    def page(self) -> PublicPage:
        """Give the model's."""
        return PublicPage(self.name or "", self.url or "", tuple(each.component() for each in self.components))
