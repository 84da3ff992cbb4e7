"""The cookie in which a browser keeps a page's token: no script can read it, and no other site's request can use it.

A request that shows the cookie must also bear a header of ours. Another site's page can send neither: the cookie is
`SameSite=Strict`, and a header of one's own needs a leave (CORS) that this server never gives. The header is asked for
when reading too, so a picture or a link that points here is nobody's request.
"""

from typing import Final

from fastapi import Request
from starlette.responses import Response

PAGE_HEADER: Final = "anycastle-page"
"""What a page of ours sends with each request; any value."""

KEPT_S: Final = 12 * 3600
"""How long a browser keeps it; the token itself may end before."""

_SAFE: Final = "__Host-anycastle"
"""Browsers take a name of this beginning from the host itself alone, and over TLS (RFC 6265bis §4.1.3.2)."""

_LOCAL: Final = "anycastle"
"""Where the API is in the clear, which it is towards this machine alone."""


def secret_in(request: Request) -> str:
    """Give the token in a page's cookie; empty where there is none, or the request is not a page's."""
    if PAGE_HEADER not in request.headers or request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return ""
    return request.cookies.get(_name(request), "")


def keep(request: Request, response: Response, secret: str) -> None:
    """Have the browser keep a token."""
    safe = request.url.scheme == "https"
    response.set_cookie(_name(request), secret, max_age=KEPT_S, path="/", secure=safe, httponly=True, samesite="strict")


def forget(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    safe = request.url.scheme == "https"
    response.delete_cookie(_name(request), path="/", secure=safe, httponly=True, samesite="strict")


def _name(request: Request) -> str:
    return _SAFE if request.url.scheme == "https" else _LOCAL
