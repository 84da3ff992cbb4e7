"""`anycastle drain`, `undrain`, `withdraw` and `steer`: orders to PoPs, through the controller.

Each prints what each PoP answers. A PoP that refuses, or does not answer in time, makes the exit code 1.
"""

import sys
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.controller_option import ordering_option
from anycastle.cli.controller_socket import reason_option
from anycastle.cli.order_answers import await_answers
from anycastle.cli.output import counted

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller

STEER_S = 86_400.0
"""How long a service is steered away from at most: the longest soak of a drain."""


def _order_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option(
            "--deadline",
            "deadline_s",
            type=click.FloatRange(min=0.0),
            default=30.0,
            show_default=True,
            help="Seconds to wait for the PoPs' answers; 0 waits for none.",
        ),
        ordering_option,
        reason_option,
        click.option("--pop", "pops", multiple=True, required=True, help="A PoP; may be repeated. None means none."),
        click.argument("services", nargs=-1, required=True),
    ):
        command = option(command)
    return command


FOR = click.option("--for", "lasts_s", type=float, help="Seconds after which it ends by itself. [default: never]")


def _await(controller: "Controller", last: int, pops: Collection[str], deadline_s: float) -> None:
    """Print what each PoP says to its order; exit with 1 where one refuses or is silent. `last` is the last order."""
    numbers = range(last - len(set(pops)) + 1, last + 1)  # an order for each PoP
    if not deadline_s:
        click.echo("ordered; what the PoPs answer: anycastle controller status", err=True)
        return
    click.echo(f"waiting for {counted(len(numbers), 'answer')}", err=True)
    if not await_answers(controller, numbers, deadline_s):
        sys.exit(1)


@click.command()
@_order_options
@click.option("--soak", "soak_s", type=float, default=5.0, show_default=True, help="Seconds steered, before it ends.")
@click.option("--wait", "wait_s", type=float, default=5.0, show_default=True, help="Seconds for sessions to end.")
@FOR
def drain(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, controller: "Controller", deadline_s: float,
    soak_s: float, wait_s: float, lasts_s: float | None,
) -> None:  # fmt: skip
    """Take services from PoPs gracefully: steer, withdraw, wait, stop. Refused where it would cross a floor.

    \b
    anycastle drain dns --pop ams --reason 'new line cards' --for 7200
    """
    from anycastle.io.controller_client.port import Drain

    last = controller.drain(Drain(pops, services, reason, soak_s, wait_s, lasts_s))
    _await(controller, last, pops, deadline_s)


@click.command()
@_order_options
def undrain(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, controller: "Controller", deadline_s: float
) -> None:
    """End drains: services are announced again once their checks pass."""
    _await(controller, controller.undrain(pops, services, reason), pops, deadline_s)


@click.command()
@_order_options
@FOR
def withdraw(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, controller: "Controller", deadline_s: float,
    lasts_s: float | None,
) -> None:  # fmt: skip
    """Take services from PoPs at once, in an emergency. The floor stands all the same."""
    from anycastle.io.controller_client.port import Drain

    last = controller.drain(Drain(pops, services, reason, soak_s=0.0, wait_s=0.0, lasts_s=lasts_s))
    _await(controller, last, pops, deadline_s)


@click.command()
@_order_options
@FOR
def steer(
    services: tuple[str, ...], pops: tuple[str, ...], reason: str, controller: "Controller", deadline_s: float,
    lasts_s: float | None,
) -> None:  # fmt: skip
    """Send traffic elsewhere where it can go, and keep announcing: for a day at most, then it is withdrawn."""
    from anycastle.io.controller_client.port import Drain

    ends_s = STEER_S - 1.0 if lasts_s is None else lasts_s
    last = controller.drain(Drain(pops, services, reason, soak_s=STEER_S, lasts_s=ends_s))
    _await(controller, last, pops, deadline_s)
