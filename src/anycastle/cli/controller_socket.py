"""The controller's socket on this machine, and what orders have in common."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def run_dir_option(command: F) -> F:
    """Give the option for the directory of the controller's socket."""
    return click.option(
        "--run-dir", type=click.Path(path_type=Path), envvar="ANYCASTLE_CONTROLLER_DIR",
        default=Path("/run/anycastle/controller"), show_default=True, help="Where the controller's socket is.",
    )(command)  # fmt: skip


def reason_option(command: F) -> F:
    """Give the option for why something is done."""
    return click.option("--reason", required=True, help="Why; it goes into the log.")(command)


def owner_option(command: F) -> F:
    """Give the option for who does it."""
    return click.option(
        "--owner", default=getpass.getuser,
        help="Who, for the log. Whoever may open the socket may name anybody: two people are two by API tokens alone."
        " [default: the user]",
    )(command)  # fmt: skip


def say(run_dir: Path, request: dict[str, Any], timeout_s: float = 120.0) -> dict[str, Any]:
    """Send one request and give the reply. Raises `WorldError`, with the controller's words where it refuses."""
    from anycastle.io.local_socket import ask

    return ask(run_dir / "controller.sock", request, timeout_s, of="the controller", found_by="--run-dir")
