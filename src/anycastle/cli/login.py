"""`anycastle login`: a session of a controller's API, through the OpenID provider that it knows."""

import hmac
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs

import click

WAIT_S: Final = 600.0
"""How long somebody may take at the provider."""

_PAGE: Final = b"<!doctype html><title>Anycastle</title><p>You can close this page, and go back to the terminal.</p>"


@click.command()
@click.argument("url")
@click.option(
    "--ca-file", type=click.Path(path_type=Path, exists=True), help="Certificates that the API's is signed by."
)
@click.option("--browser/--no-browser", default=True, help="Open the provider's page, or only print where it is.")
def login(url: str, ca_file: Path | None, browser: bool) -> None:
    """Log in at the API at URL, and print the session's text, which is used as a token is.

    \b
    export TOKEN=$(anycastle login https://ctl1.example.net:8443)
    """
    import httpx2

    from anycastle.base.errors import MisuseError
    from anycastle.io.controller_client.http import require_private

    try:
        require_private(url)
    except MisuseError as error:
        raise click.UsageError(str(error)) from error
    context = ssl.create_default_context(cafile=ca_file)
    with httpx2.Client(base_url=url, verify=context, timeout=30.0, trust_env=False) as api, _return() as server:
        asked = {"redirect_uri": f"http://127.0.0.1:{server.server_port}/"}
        begun = _post(api, "/api/v1/logins", asked)
        click.echo(f"log in at {begun['url']}", err=True)
        if browser:
            click.launch(begun["url"])
        code = _code(server, begun["state"])
        made = _post(api, "/api/v1/logins/finish", {"login": begun["login"], "code": code})
    only = f" for {' '.join(made['services'])}" if made["services"] is not None else ""
    click.echo(f"{made['name']}: {made['role']}{only}, until {made['expires']}", err=True)
    click.echo(made["token"])


class _Return(HTTPServer):
    """Waits on this machine for the browser to come back."""

    came: dict[str, list[str]] | None = None


class _Handler(BaseHTTPRequestHandler):
    server: _Return
    timeout = 10

    def do_GET(self) -> None:
        """Take what the provider sent."""
        path, _, query = self.path.partition("?")
        found = path == "/"
        if found:
            self.server.came = parse_qs(query, max_num_fields=20)
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(_PAGE) if found else 0))
        self.end_headers()
        self.wfile.write(_PAGE if found else b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing: the code stands in the request."""


@contextmanager
def _return() -> Iterator[_Return]:
    with _Return(("127.0.0.1", 0), _Handler) as server:
        yield server


def _code(server: _Return, state: str) -> str:
    """Wait for the browser, and give the code that it brings. What does not bear our state is passed over."""
    from time import monotonic

    end = monotonic() + WAIT_S
    while (left := end - monotonic()) > 0:
        server.timeout = left
        server.handle_request()
        came, server.came = server.came, None
        if came is None or not hmac.compare_digest(came.get("state", [""])[0].encode(), state.encode()):
            continue
        if "code" not in came:
            raise click.ClickException(f"the provider refused: {came.get('error', ['it gives no reason'])[0][:200]!r}")
        return came["code"][0]
    raise click.ClickException(f"nobody came back from the provider within {WAIT_S:.0f} s")


def _post(api: Any, path: str, body: dict[str, str]) -> dict[str, Any]:
    """Ask the API. What is refused is said in its words."""
    import httpx2

    try:
        answer = api.post(path, json=body)
        told = answer.json()
    except httpx2.HTTPError as error:
        raise click.ClickException(f"{api.base_url} cannot be asked: {error}") from error
    except ValueError as error:
        raise click.ClickException(f"{api.base_url} does not answer as a controller's API does") from error
    if answer.status_code != 201 or not isinstance(told, dict):
        said = told if isinstance(told, dict) else {}
        raise click.ClickException(f"{said.get('detail', answer.status_code)}. {said.get('next', '')}".strip())
    return told
