"""Which controller a command speaks with: the one on this machine by its socket, or one elsewhere by its API.

Commands are given a `Controller` and do not know which of the two it is.
"""

import getpass
import os
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click
from click.core import ParameterSource

from anycastle.base.errors import AnycastleError, MisuseError
from anycastle.cli.controller_socket import run_dir_option
from anycastle.cli.output import message

if TYPE_CHECKING:
    from anycastle.io.controller_client.api import ApiController
    from anycastle.io.controller_client.http import Api
    from anycastle.io.controller_client.port import Controller

F = TypeVar("F", bound=Callable[..., Any])

SERVER_VARIABLE: Final = "ANYCASTLE_SERVER"
TOKEN_VARIABLE: Final = "ANYCASTLE_TOKEN"
TOKEN_FILE_VARIABLE: Final = "ANYCASTLE_TOKEN_FILE"
CA_FILE_VARIABLE: Final = "ANYCASTLE_CA_FILE"
TOKEN_OCTETS_MAX: Final = 4_096

CA_FILE: Final = click.option(
    "--ca-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), envvar=CA_FILE_VARIABLE,
    help="Certificates that the API's is signed by. [default: those of the system]",
)  # fmt: skip
_SERVER: Final = (
    CA_FILE,
    click.option(
        "--token-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), envvar=TOKEN_FILE_VARIABLE,
        help=f"The file with your token for the API. [default: {TOKEN_VARIABLE} of the environment]",
    ),
    click.option(
        "--server", metavar="URL", envvar=SERVER_VARIABLE,
        help="A controller's API, such as https://ctl1.example.net:8443. [default: the socket of this machine]",
    ),
)  # fmt: skip


def server_options(command: F) -> F:
    """Give the options for a controller elsewhere."""
    for option in _SERVER:
        command = option(command)
    return command


def controller_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `controller`, to be asked."""
    return _given(command)


def ordering_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its `controller`, to be given orders: by the socket, `--owner` says whose they are."""
    owner = click.option(
        "--owner",
        help="Who, for the log. Whoever may open the socket may name anybody: two people are two by API tokens alone,"
        " and with --server it is your token that says who you are. [default: the user]",
    )
    return owner(_given(command))


def _given(command: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(command)
    def with_controller(
        *arguments: Any, run_dir: Path, server: str | None, token_file: Path | None, ca_file: Path | None, **given: Any
    ) -> Any:
        owner = given.pop("owner", None)
        if server is None or (typed("run_dir") and not typed("server")):
            from anycastle.io.controller_client.local import LocalController

            controller: Controller = LocalController(run_dir, owner or getpass.getuser())
        else:
            if typed("run_dir"):
                raise click.UsageError("name one controller: --server, or --run-dir")
            if owner is not None:
                raise click.UsageError("--owner goes with the local socket: with --server your token says who you are")
            controller = api_controller(server, token_file, ca_file)
        return command(*arguments, controller=controller, **given)

    return run_dir_option(server_options(with_controller))


def api_controller(server: str, token_file: Path | None, ca_file: Path | None) -> "ApiController":
    """Give the controller whose API is at a URL. Raises `UsageError` where it, or the token, cannot be used."""
    from anycastle.io.controller_client.api import ApiController

    return ApiController(server_api(server, token_file, ca_file), message)


def server_api(server: str | None, token_file: Path | None, ca_file: Path | None) -> "Api":
    """Give the API at a URL, for what it alone tells. Raises `UsageError` where it, or the token, cannot be used."""
    from anycastle.io.controller_client.http import Api

    if server is None:
        raise click.UsageError("the API alone tells this: name it by --server")
    try:
        api = Api(server, _token(token_file), ca_file, message)
    except MisuseError as error:
        raise click.UsageError(f"--server: {error}") from error
    click.get_current_context().call_on_close(api.close)
    return api


def person(owner: str | None) -> str:
    """Give who gives an order that is carried out here, step by step, by commands that the environment tells where.

    With `ANYCASTLE_SERVER` it is whoever answers for the token there, as the controller says; else the one who is
    named, or the user. Raises `UsageError`, and `WorldError` where the controller cannot be asked.
    """
    server = os.environ.get(SERVER_VARIABLE)
    if not server:
        return owner or getpass.getuser()
    if owner is not None:
        raise click.UsageError(f"--owner goes without {SERVER_VARIABLE}: with it your token says who you are")
    token_file, ca_file = (os.environ.get(name) for name in (TOKEN_FILE_VARIABLE, CA_FILE_VARIABLE))
    return api_controller(
        server, Path(token_file) if token_file else None, Path(ca_file) if ca_file else None
    ).principal()


def _token(file: Path | None) -> str:
    """Give the token: of the file, or of the environment. Its text is in no message."""
    from anycastle.io.whole_file import read_whole

    if file is None:
        text, source = os.environ.get(TOKEN_VARIABLE, ""), TOKEN_VARIABLE
        if not text:
            raise click.UsageError(f"--server needs a token: name its file by --token-file, or set {TOKEN_VARIABLE}")
    else:
        source = str(file)
        try:
            text = read_whole(file, TOKEN_OCTETS_MAX).decode("ascii", "replace")
        except AnycastleError as error:
            raise click.UsageError(str(error)) from error
    token = text.strip()
    if not token or not all("!" <= letter <= "~" for letter in token):
        raise click.UsageError(f"{source}: this is not a token: one word, such as acst_...")
    return token


def typed(name: str) -> bool:
    """Tell whether an option was typed, and does not come from the environment."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE
