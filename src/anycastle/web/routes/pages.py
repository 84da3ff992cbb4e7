"""The pages: one shell for each address below /ui/, and the files that it loads. They hold no data, so anyone may."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Request
from starlette.responses import RedirectResponse, Response

from anycastle.web.admission import Admitted
from anycastle.web.built import NOT_BUILT, SHELL, BuiltFile, built_files
from anycastle.web.problems import Problem, ProblemKind

ROUTER: Final = APIRouter(route_class=Admitted, include_in_schema=False)

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing from elsewhere, nothing inline, no text that becomes script or markup (CSP3, Trusted Types)."""


@ROUTER.get("/")
async def front() -> Response:
    """Lead a browser to the pages."""
    return RedirectResponse("/ui/", 307)


@ROUTER.get("/ui/{page:path}")
async def shell(request: Request, page: Annotated[str, Path(max_length=300)]) -> Response:  # noqa: ARG001  the page's own
    """Give the shell; the address says what it shows."""
    found = built_files().get(SHELL)
    headers = {"Content-Security-Policy": POLICY}
    if found is None:
        return Response(NOT_BUILT, 404, headers, "text/html; charset=utf-8")
    return _answer(request, found, headers)


@ROUTER.get("/static/{name}")
async def static(request: Request, name: Annotated[str, Path(max_length=100)]) -> Response:
    """Give a file of the pages."""
    found = built_files().get(name)
    if found is None or name == SHELL:
        raise Problem(ProblemKind.NOT_FOUND, "no such file is part of the pages")
    return _answer(request, found, {})


def _answer(request: Request, file: BuiltFile, headers: dict[str, str]) -> Response:
    """Send a file, or that the browser has it already."""
    headers = {**headers, "ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(file.compressed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type)
    return Response(file.octets, headers=headers, media_type=file.media_type)
