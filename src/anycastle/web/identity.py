"""Who asks: the token of a request, or the session that a login gave; in a header, or in the cookie of a page."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request

from anycastle.io.store.people import People
from anycastle.model.person import Grant
from anycastle.web.cookie import secret_in

SESSION_BEGINNING: Final = "acss_"
"""What the text of a session begins with, so that it is known where it should not stand."""

_SCHEME: Final = "bearer"
_TOKEN_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is known."""

    name: str
    """The token as the audit names it, or whoever logged in."""
    principal: str
    """Who answers for it: two tokens of one principal are one person where two are needed."""
    grant: Grant
    secret: str = field(repr=False)
    by_cookie: bool = False
    """A page asks: the secret is where its scripts cannot read it."""


async def identify(people: People, request: Request) -> Person | None:
    """Give who asks; None where no good token is shown. Raises `WorldError`."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == _SCHEME:
        return await person_with(people, secret.strip())
    return await person_with(people, secret_in(request), by_cookie=True)


async def person_with(people: People, secret: str, *, by_cookie: bool = False) -> Person | None:
    """Give whose token or session a text is; None where it is none that is good now. Raises `WorldError`."""
    if not 0 < len(secret) <= _TOKEN_MAX:
        return None
    if secret.startswith(SESSION_BEGINNING):
        session = await people.session(secret)
        return None if session is None else Person(session.who, session.who, session.grant, secret, by_cookie)
    note = await people.token(secret)
    return None if note is None else Person(f"token:{note.name}", note.principal, note.grant, secret, by_cookie)


def person_of(request: Request) -> Person:
    """Give who asks, once it is admitted."""
    person: Person = request.state.person
    return person


Asker = Annotated[Person, Depends(person_of)]
