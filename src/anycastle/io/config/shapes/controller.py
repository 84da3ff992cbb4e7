"""`controller` of `fleet.yaml`: how agents reach the fleet's controllers."""

import re
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.base.errors import ParseError
from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import Placed, shown
from anycastle.io.config.scalars import read_secret_path, read_text, refuse
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.model.controller_access import POP_WORD, ControllerAccess, host_and_port

_ACCESS: Final = ControllerAccess(())
"""For its defaults."""

_SCHEME: Final = re.compile(r"^[a-z]+://")
_HOST: Final = re.compile(r"^[A-Za-z0-9:]([A-Za-z0-9.:_%-]*[A-Za-z0-9])?$")


def _read_address(node: Any) -> Placed[str]:
    text = read_text(node)
    bare = _SCHEME.sub("", text).rstrip("/")
    if bare != text:
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} has the form of a URL; write HOST or HOST:PORT: {bare}")
    try:
        host, _ = host_and_port(text)
    except ParseError as error:
        raise refuse(FindingKind.BAD_VALUE, str(error)) from None
    if not _HOST.match(host) or (":" in host and not text.startswith("[")):
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is not HOST or HOST:PORT; IPv6 addresses stand in brackets")
    return Placed(text, node)


def _read_pop_path(node: Any) -> str:
    path = read_secret_path(node)
    unknown = [word for word in re.findall(r"\{[^}]*\}?", path) if word != POP_WORD]
    if unknown:
        raise refuse(FindingKind.BAD_VALUE, f"{unknown[0]} stands for nothing in a path; {POP_WORD} is the PoP's name")
    return path


AddressOfController = Annotated[
    Placed[str],
    PlainValidator(_read_address),
    WithJsonSchema({"type": "string", "examples": ["controller.example.net", "[2001:db8::1]:9479"]}),
]
PathOfPoP = Annotated[
    str,
    PlainValidator(_read_pop_path),
    WithJsonSchema({"type": "string", "pattern": "^/", "examples": ["/etc/anycastle/{pop}.pem"]}),
]


class ControllerShape(Shape):
    """How agents reach the controllers. Where it stands, controllers deal withdraw permits, and files deal none."""

    addresses: Annotated[tuple[AddressOfController, ...], ITEMS] = Field(
        description="Controllers, each `HOST` or `HOST:PORT`; the port is 9479 by default. Agents try them in turn."
    )
    ca: PathOfPoP = Field(
        _ACCESS.ca, description="File, on the PoP, of the authorities that are trusted. `{pop}` is the PoP's name."
    )
    certificate: PathOfPoP = Field(_ACCESS.certificate, description="File of the PoP's certificate.")
    key: PathOfPoP = Field(_ACCESS.key, description="File of the certificate's key.")

    def review(self, findings: Findings) -> None:
        """Each address stands once, and the three files are three."""
        seen: set[tuple[str, int]] = set()
        for placed in self.addresses:
            place = host_and_port(placed.value.lower())
            if place in seen:
                message = f"the controller {shown(placed.value)} is listed twice"
                findings.add(FindingKind.REPEATED, placed.node.place, placed.node.path(), message)
            seen.add(place)
        if len({self.ca, self.certificate, self.key}) < 3 and not self.misread("ca", "certificate", "key"):
            message = "`ca`, `certificate` and `key` are three files; two of them are the same"
            self.add(findings, FindingKind.BAD_VALUE, "key" if "key" in self.node.entries else "certificate", message)
