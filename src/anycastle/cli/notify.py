"""`anycastle notify`: try a notifier, see what reached nobody, send it again."""

import getpass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import controller_option, ordering_option
from anycastle.cli.output import Form, Table, counted, message, output_option, print_json, print_table

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller


@click.group()
def notify() -> None:
    """Try who is told of incidents, and see what reached nobody."""


@notify.command()
@click.argument("name")
@click.option("--fleet", type=click.Path(exists=True, path_type=Path), envvar="ANYCASTLE_FLEET", required=True,
              help="The fleet folder whose `notify` names it.")  # fmt: skip
@click.option("--over", is_flag=True, help="Say that the test is over, as for an incident that ends.")
def test(name: str, fleet: Path, over: bool) -> None:
    """Send a test notice by one notifier, once, from this machine. Its secrets are read here.

    \b
    anycastle notify test oncall --fleet fleet
    """
    import asyncio

    from anycastle.daemons.notifying import Notifying
    from anycastle.io.clock import now
    from anycastle.io.fleet_loader import load_here, usable
    from anycastle.response.message import Message
    from anycastle.response.notification import NoticeKind
    from anycastle.response.signal import Urgency

    read = usable(*load_here(fleet))
    notifying = Notifying(read.notify)
    if name not in notifying.names:
        known = ", ".join(sorted(notifying.names)) or "none"
        raise click.UsageError(f"there is no notifier {name!r} in {fleet}; known: {known}")
    at = now().wall
    kind = NoticeKind.CLEARED if over else NoticeKind.TICKET
    title = f"a test of the notifier {name} by {getpass.getuser()}: nothing is wrong"
    told = Message(
        f"test-{int(at * 1000)}", f"{read.name}/test-{name}", read.name, 0, kind, Urgency.TICKET, at, at, title
    )

    async def send() -> None:
        try:
            await notifying.send(name, told)
        finally:
            await notifying.close()

    asyncio.run(send())
    message(f"{name} took it")


@notify.command()
@controller_option
@output_option(Form.TABLE, Form.JSON)
def dead(controller: "Controller", form: Form) -> None:
    """List the notices that reached nobody: refused, given up after a day, or without a notifier.

    \b
    anycastle notify dead
    """
    found = [each for each in controller.deliveries() if each["state"] == "dead"]
    if form is Form.JSON:
        print_json(found)
        return
    rows = [
        (each["key"], datetime.fromtimestamp(each["at"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), each["notice"],
         str(each["incident"] or ""), each["title"], str(each["attempts"]), each["why"])
        for each in found
    ]  # fmt: skip
    if rows:
        print_table(Table(("key", "at", "notice", "incident", "what", "attempts", "why"), rows))
    message(f"{counted(len(rows), 'dead letter')}")


@notify.command()
@click.argument("keys", metavar="[KEY]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that there are.")
@ordering_option
def again(keys: tuple[str, ...], everything: bool, controller: "Controller") -> None:
    """Send dead letters again, once what kept them was mended.

    \b
    anycastle notify again 00000007/oncall
    """
    if bool(keys) == everything:
        raise click.UsageError("name the letters, as `anycastle notify dead` lists them, or give --all")
    done = controller.send_again(None if everything else keys)
    message(f"{counted(len(done), 'notice')} wait to be sent")
