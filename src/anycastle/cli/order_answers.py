"""What PoPs say to orders that were given through the controller: asked for until all have answered, or time is up."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import click

from anycastle.base.errors import WorldError
from anycastle.cli.controller_text import answer_of
from anycastle.cli.output import counted

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller, Told

ASK_AGAIN_S: Final = 0.5
"""A PoP answers within a round trip; what the controller tells is some hundred kilobytes."""


def await_answers(controller: "Controller", numbers: range, deadline_s: float) -> bool:
    """Print each PoP's answer as it comes; tell whether all obeyed in time. Raises `WorldError`."""
    ends = time.monotonic() + deadline_s
    printed: set[int] = set()
    while True:
        orders = [each for each in _orders(controller, numbers, ends) if each["number"] in numbers]
        for order in _new_answers(orders, printed):
            click.echo(f"{order['pop']}: {answer_of(order)}")
        waiting = [each for each in orders if each["answer"] is None]
        if not waiting:
            return all(each["answer"] == "" for each in orders) and len(printed) == len(numbers)
        if time.monotonic() >= ends:
            _say_silent(waiting, controller.agents() or {}, deadline_s)
            return False
        time.sleep(ASK_AGAIN_S)


def _orders(controller: "Controller", numbers: range, ends: float) -> Sequence["Told"]:
    """Ask how orders stand: a controller that starts anew is waited for, as the order outlives it."""
    while True:
        try:
            return controller.orders()
        except WorldError as error:
            if time.monotonic() >= ends:
                raise WorldError(f"{error}; {_names(numbers)} stands all the same") from error
            time.sleep(ASK_AGAIN_S)


def _names(numbers: range) -> str:
    return f"order {numbers[0]}" if len(numbers) == 1 else f"orders {numbers[0]} to {numbers[-1]}"


def _new_answers(orders: Sequence["Told"], printed: set[int]) -> Iterator["Told"]:
    for each in orders:
        if each["answer"] is not None and each["number"] not in printed:
            printed.add(each["number"])
            yield each


def _say_silent(waiting: Collection["Told"], agents: Mapping[str, "Told"], deadline_s: float) -> None:
    for each in waiting:
        seen = agents.get(each["pop"])
        away = "" if seen is not None and seen["connected"] else " (its agent has no session)"
        click.echo(f"{each['pop']}: no answer within {deadline_s:g} s{away}")
    stand = "the order stands: it is" if len(waiting) == 1 else "the orders stand: they are"
    click.echo(f"{counted(len(waiting), 'PoP')} did not answer; {stand} told again in the next session", err=True)
