"""The file that `anycastle controller run --oidc` names: the provider of identities, and who may do what."""

from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import shown
from anycastle.io.config.scalars import Name, Path, SecretPath, Text, duration, read_text, refuse, word
from anycastle.io.config.shape import ITEMS, Shape
from anycastle.model.person import MACHINES, Role

SESSION_S = 8 * 3600.0
"""How long a login lasts: a shift."""

PEOPLE: Final = {role.value: role for role in Role if role not in MACHINES}
"""What somebody who logs in may be; a prober is a machine, and has a token."""

RoleWord = Annotated[Role, PlainValidator(word(PEOPLE)), WithJsonSchema({"enum": list(PEOPLE)})]
SessionSpan = Annotated[float, PlainValidator(duration(60.0, 7 * 86_400.0)), WithJsonSchema({"type": "string"})]


def _read_issuer(node: Any) -> str:
    text = read_text(node)
    if not text.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is no issuer: it begins with https://")
    return text


Issuer = Annotated[str, PlainValidator(_read_issuer), WithJsonSchema({"type": "string", "format": "uri"})]


class RoleRuleShape(Shape):
    """One rule of who may do what."""

    claim: Text = Field(description="A claim of the ID token, such as `groups`.")
    value: Text = Field(description="Whoever has this value in the claim, alone or in its list.")
    role: RoleWord = Field(description="`viewer`, `operator`, `approver` or `admin`.")
    services: Annotated[tuple[Name, ...], ITEMS] | None = Field(
        None, description="The services that the role is limited to; all where the key is missing."
    )

    def review(self, findings: Findings) -> None:
        """An empty list never means all."""
        if self.services is not None and not self.services:
            self.add(findings, FindingKind.EMPTY, "services", "no service is named; leave the key out for all")


class OIDCShape(Shape):
    """The whole file."""

    issuer: Issuer = Field(description="The provider's issuer, as its ID tokens have it.")
    client_id: Text = Field(description="What we are called at the provider.")
    client_secret_file: SecretPath | None = Field(
        None, description="The file with our secret, where the provider wants one."
    )
    ca_file: Path | None = Field(
        None, description="Certificates that the provider's is signed by; the system's by default."
    )
    name_claim: Text = Field(
        "sub", description="The claim that people are called by in the log: one that never changes."
    )
    session: SessionSpan = Field(SESSION_S, description="How long a login lasts.")
    roles: Annotated[tuple[RoleRuleShape, ...], ITEMS] = Field(
        description="Who may do what. Of the rules that fit somebody the first counts; who fits none may not come in."
    )

    def review(self, findings: Findings) -> None:
        """Somebody must be able to come in."""
        if not self.roles:
            self.add(findings, FindingKind.EMPTY, "roles", "nobody could log in: give one rule at least")
