"""Who asks: the token of a request, or the session that a login gave."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import Depends, Request

from anycastle.io.store.people import People
from anycastle.model.person import Grant

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


async def identify(people: People, request: Request) -> Person | None:
    """Give who asks; None where no good token is shown. Raises `WorldError`."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    secret = secret.strip()
    if scheme.lower() != _SCHEME or not 0 < len(secret) <= _TOKEN_MAX:
        return None
    if secret.startswith(SESSION_BEGINNING):
        session = await people.session(secret)
        return None if session is None else Person(session.who, session.who, session.grant, secret)
    note = await people.token(secret)
    return None if note is None else Person(f"token:{note.name}", note.principal, note.grant, secret)


def person_of(request: Request) -> Person:
    """Give who asks, once it is admitted."""
    person: Person = request.state.person
    return person


Asker = Annotated[Person, Depends(person_of)]
