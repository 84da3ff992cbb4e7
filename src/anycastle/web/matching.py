"""Documents that change, and who decides on what he saw of them: ETag and If-Match."""

from hashlib import sha256
from typing import Annotated, Final

from fastapi import Header

from anycastle.io.controller_json import encode
from anycastle.rollout.kept import Document
from anycastle.web.problems import Problem, ProblemKind

_NOTHING: Final = '"nothing"'

IfMatch = Annotated[str | None, Header(max_length=500, description="The ETag of the state that you decided on.")]


def etag(part: Document | None) -> str:
    """Give the tag of a part as it is."""
    return _NOTHING if part is None else f'"{sha256(encode(part)).hexdigest()[:32]}"'


def require_match(if_match: str | None, part: Document | None, *, must: bool) -> None:
    """Raise the problem where somebody decided on another state; `must`: also where he does not say on which."""
    if if_match is None:
        if must:
            raise Problem(ProblemKind.UNCONDITIONAL, "this lets things go on: say which state you saw")
        return
    wanted = {each.strip() for each in if_match.split(",")}
    if "*" not in wanted and etag(part) not in wanted:
        raise Problem(ProblemKind.CHANGED, "it is not as it was when you looked", {"etag": etag(part)})
