"""`anycastle drain`, `undrain`, `withdraw` and `steer`: orders to PoPs, through the controller."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say

F = TypeVar("F", bound=Callable[..., Any])

STEER_S = 86_400.0
"""How long a service is steered away from at most: the longest soak of a drain."""


def _order_options(command: F) -> F:
    for option in (
        run_dir_option,
        owner_option,
        reason_option,
        click.option("--pop", "pops", multiple=True, required=True, help="A PoP; may be repeated. None means none."),
        click.argument("services", nargs=-1, required=True),
    ):
        command = option(command)
    return command


FOR = click.option("--for", "lasts_s", type=float, help="Seconds after which it ends by itself. [default: never]")


def _send(run_dir: Path, command: str, **fields: Any) -> None:
    told = say(run_dir, {"command": command, **fields})
    click.echo(f"order {told['number']}; see: anycastle controller status", err=True)


@click.command()
@_order_options
@click.option("--soak", "soak_s", type=float, default=5.0, show_default=True, help="Seconds steered, before it ends.")
@click.option("--wait", "wait_s", type=float, default=5.0, show_default=True, help="Seconds for sessions to end.")
@FOR
def drain(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, owner: str, run_dir: Path, soak_s: float,
    wait_s: float, lasts_s: float | None,
) -> None:  # fmt: skip
    """Take services from PoPs gracefully: steer, withdraw, wait, stop. Refused where it would cross a floor.

    \b
    anycastle drain dns --pop ams --reason 'new line cards' --for 7200
    """
    _send(
        run_dir, "drain", services=services, pops=pops, reason=reason, owner=owner, soak_s=soak_s, wait_s=wait_s,
        lasts_s=lasts_s,
    )  # fmt: skip


@click.command()
@_order_options
def undrain(services: tuple[str, ...], pops: tuple[str, ...], reason: str, owner: str, run_dir: Path) -> None:
    """End drains: services are announced again once their checks pass."""
    _send(run_dir, "undrain", services=services, pops=pops, reason=reason, owner=owner)


@click.command()
@_order_options
@FOR
def withdraw(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, owner: str, run_dir: Path, lasts_s: float | None
) -> None:
    """Take services from PoPs at once, in an emergency. The floor stands all the same."""
    _send(
        run_dir, "drain", services=services, pops=pops, reason=reason, owner=owner, soak_s=0.0, wait_s=0.0,
        lasts_s=lasts_s,
    )  # fmt: skip


@click.command()
@_order_options
@FOR
def steer(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, owner: str, run_dir: Path, lasts_s: float | None
) -> None:
    """Send traffic elsewhere where it can go, and keep announcing: for a day at most, then it is withdrawn."""
    ends_s = STEER_S - 1.0 if lasts_s is None else lasts_s
    _send(run_dir, "drain", services=services, pops=pops, reason=reason, owner=owner, soak_s=STEER_S, lasts_s=ends_s)
