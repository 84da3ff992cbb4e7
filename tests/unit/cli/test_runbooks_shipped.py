"""The runbooks that come with the program: each of their commands exists, and what moves traffic is known as such."""

from collections.abc import Iterator
from itertools import pairwise

import click
import pytest

from anycastle.cli.command_line import problem_with
from anycastle.cli.main import cli
from anycastle.io.runbooks import load, shipped
from anycastle.response.runbook.changing import DANGEROUS, FORBIDDEN, HARMLESS, changes
from anycastle.response.runbook.document import StepKind, filled
from anycastle.rollout.readiness.runbooks import NEEDED

WANTED = {"incident", "pop-failure", "hijack", "route-leak", "ddos", "bad-rollout", "partial-reachability", "mtu"}


def commands() -> Iterator[tuple[str, int, tuple[str, ...]]]:
    for name in shipped():
        book = load(name, None)
        values = {each.name: "1" for each in book.parameters}
        for step in book.steps:
            if step.run:
                yield name, step.number, tuple(filled(word, values) for word in step.run)
            if step.undo:
                yield name, step.number, tuple(filled(step.undo, values).split())


@pytest.mark.mission("C15")
def test_what_is_needed_is_there() -> None:
    assert set(shipped()) == WANTED
    assert set(NEEDED) <= WANTED


@pytest.mark.parametrize(("name", "step", "words"), list(commands()))
def test_each_command_is_one_of_this_program(name: str, step: int, words: tuple[str, ...]) -> None:
    assert problem_with(words) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("anycastle", "drane", "dns"), "no subcommand 'drane'"),
        (("anycastle", "rollout"), "needs a subcommand"),
        (("anycastle", "drain", "dns", "--pop", "fra"), "needs '--reason'"),
        (("anycastle", "drain", "--pop", "fra", "--reason", "x"), "needs"),
        (("anycastle", "drain", "dns", "--popp", "fra", "--reason", "x"), "No such option '--popp'"),
        (("anycastle", "controller", "status", "-o", "xml"), "'xml' is none of"),
        (("anycastle", "controller", "status", "now"), "takes no 'now'"),
    ],
)
def test_what_is_no_command_is_found(words: tuple[str, ...], said: str) -> None:
    assert said in (problem_with(words) or "")


def test_every_shipped_runbook_that_moves_traffic_asks_before() -> None:
    for name in shipped():
        steps = load(name, None).steps
        assert name == "incident" or any(step.dangerous for step in steps), name
        for before, step in pairwise(steps):
            assert not step.dangerous or before.kind is StepKind.APPROVAL, (name, step.number)


def leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    context = click.Context(command)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found, (*path, name))
    else:
        yield path


def test_every_command_that_gives_a_reason_is_known_to_change_something() -> None:
    every = set(leaves(cli))
    assert every >= DANGEROUS | HARMLESS | set(FORBIDDEN)
    assert not DANGEROUS & HARMLESS
    for path in every:
        command: click.Command = cli
        for name in path:
            assert isinstance(command, click.Group)
            command = command.get_command(click.Context(command), name)  # type: ignore[assignment]
        required = {option for each in command.params if each.required for option in each.opts}
        ordering = any("--owner" in each.opts for each in command.params) and path[0] != "runbook"
        known = changes(("anycastle", *path)) or path in FORBIDDEN
        assert known or not (ordering or "--reason" in required), path
