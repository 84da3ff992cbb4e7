"""Where the type of a problem leads."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path

from anycastle.web.admission import Admitted
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import ProblemType

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["problems"])


@ROUTER.get("/problems/{name}", response_model=ProblemType)
async def problem_type(name: Annotated[str, Path(max_length=100)]) -> Any:
    """Explain a type of problem."""
    for kind in ProblemKind:
        if kind.slug == name:
            return {"name": kind.slug, "status": kind.status, "title": kind.title, "next": kind.advice}
    raise Problem(ProblemKind.NOT_FOUND, "no type of problem has this name")
