"""Logging in through an OpenID provider: what is needed for it, and who comes back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.io.oidc import Departure, OIDCProvider
from anycastle.io.oidc_roles import RoleRule, grant_of, name_of
from anycastle.io.store.people import Login, People, Session, new_secret
from anycastle.web.problems import Problem, ProblemKind

LOGIN_S: Final = 600.0
"""How long somebody may take at the provider."""


@dataclass(frozen=True, slots=True)
class Logins:
    """The provider, and who may do what."""

    provider: OIDCProvider
    rules: Sequence[RoleRule]
    name_claim: str
    session_s: float

    async def begin(self, people: People, redirect_uri: str, now: Timestamp) -> tuple[str, Departure]:
        """Give the secret of a login that begins, and where to send the browser."""
        departure = await self.provider.depart(redirect_uri)
        secret = new_secret()
        login = Login(departure.nonce, departure.verifier, redirect_uri, Timestamp(now + LOGIN_S))
        await people.add_login(login, secret)
        return secret, departure

    async def finish(self, login: Login, code: str, now: Timestamp) -> Session:
        """Give the session of whoever came back with a code. Raises `NotProven`, `WorldError`, and `Problem`."""
        claims = await self.provider.arrive(code, login.return_to, login.nonce, login.verifier)
        name = name_of(claims, self.name_claim)
        if name is None:
            raise Problem(
                ProblemKind.LOGIN_FAILED, f"the provider says no {self.name_claim} that can be used as a name"
            )
        grant = grant_of(claims, self.rules)
        if grant is None:
            raise Problem(ProblemKind.LOGIN_FAILED, f"no rule of this controller gives {name} a role")
        return Session(name, grant, Timestamp(now + self.session_s))
