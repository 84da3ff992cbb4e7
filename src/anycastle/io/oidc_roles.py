"""What somebody may do, and is called, by what the OpenID provider says of him."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anycastle.model.person import Grant

NAME_MAX: Final = 200
TOKEN_NAMES: Final = "token:"
"""What names of tokens begin with in the log: no person's does."""


@dataclass(frozen=True, slots=True)
class RoleRule:
    """Whoever has this value in this claim has this grant. Of several rules that fit, the first counts."""

    claim: str
    value: str
    grant: Grant


def grant_of(claims: Mapping[str, Any], rules: Sequence[RoleRule]) -> Grant | None:
    """Give what somebody may do; None for nothing. An address counts only where the provider verified it."""
    for rule in rules:
        said = claims.get(rule.claim)
        values = said if isinstance(said, list) else [said]
        believed = rule.claim != "email" or claims.get("email_verified") is True
        if believed and any(isinstance(value, str) and value == rule.value for value in values):
            return rule.grant
    return None


def name_of(claims: Mapping[str, Any], claim: str) -> str | None:
    """Give what somebody is called in the log; None where the claim cannot be used for that."""
    name = claims.get(claim)
    if not isinstance(name, str) or not 0 < len(name) <= NAME_MAX or not name.isprintable():
        return None
    believed = claim != "email" or claims.get("email_verified") is True
    return name if believed and not name.startswith(TOKEN_NAMES) and name.strip() == name else None
