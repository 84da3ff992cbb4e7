"""`anycastle demo`: the main job, shown on this machine."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.output import Form, output_option

if TYPE_CHECKING:
    from anycastle.lab.demo import Demo, Figures, Happening


PAGED_S = 8.0
"""With --evidence the failure lasts long enough to page somebody."""


@click.command()
@output_option(Form.TEXT, Form.JSON)
@click.option("--keep", is_flag=True, help="Stay up after the scenario, until Ctrl-C.")
@click.option("--plain", is_flag=True, help="Lines of text, also on a terminal.")
@click.option("--evidence", type=click.Path(file_okay=False, path_type=Path), metavar="FOLDER",
              help="Leave a new folder with agents' events, clients' queries, and the fleet's files.")  # fmt: skip
def demo(form: Form, keep: bool, plain: bool, evidence: Path | None) -> None:
    """Run a fleet of five PoPs on this machine, let one fail, and measure what clients see.

    Real BGP sessions, agents, checks and name servers on the loopback; no root is needed, and nothing is left behind.
    """
    from anycastle.lab.demo import Demo
    from anycastle.lab.world import world

    if evidence is not None and evidence.exists() and any(evidence.iterdir()):
        raise click.UsageError(f"{evidence} is not empty")
    played = Demo(world()) if evidence is None else Demo(world(), failed_for_s=PAGED_S)
    if form is Form.JSON:
        figures = asyncio.run(_play(played, keep))
    elif sys.stdout.isatty() and not plain:
        figures = _play_on_a_map(played, keep)
    else:
        played.listen(_print_line)
        figures = asyncio.run(_play(played, keep))
    if evidence is not None:
        played.write_evidence(evidence)
    if form is Form.JSON:
        from anycastle.cli.output import print_json

        print_json(figures.plain())
    else:
        _print_figures(figures)


async def _play(played: "Demo", keep: bool) -> "Figures":
    """Play to the end; Ctrl-C, SIGTERM and a reader that goes end it early, in good order."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    over = asyncio.Event()
    reasons: list[signal.Signals] = []

    def end(reason: signal.Signals) -> None:
        reasons.append(reason)
        task.cancel()

    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, over.set) if keep else loop.add_signal_handler(stop, end, stop)
    loop.add_signal_handler(signal.SIGPIPE, end, signal.SIGPIPE)
    try:
        return await played.run(over if keep else None)
    except asyncio.CancelledError:
        if signal.SIGPIPE not in reasons:
            click.echo("stopped before its end", err=True)
        sys.exit(128 + reasons[0])


def _play_on_a_map(played: "Demo", keep: bool) -> "Figures":
    from rich.console import Console
    from rich.live import Live

    from anycastle.lab.demo_view import DemoView

    view = DemoView(played)
    played.listen(view.happened)

    async def play() -> "Figures":
        with Live(view, console=Console(), refresh_per_second=8, transient=False):
            return await _play(played, keep)

    return asyncio.run(play())


def _print_line(happening: "Happening") -> None:
    try:
        click.echo(f"{happening.at:7.3f} s  {happening.kind:6}  {happening.text}")
    except BrokenPipeError:  # who read along has gone, as `| head` does: end in good order, and say no more here
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        signal.raise_signal(signal.SIGPIPE)


def _print_figures(figures: "Figures") -> None:
    click.echo()
    for name, text in (
        ("time_to_detect_s", "failure seen by the check"),
        ("time_to_withdraw_s", "withdrawal at the first neighbour"),
        ("time_to_failover_s", "every client answered by another PoP"),
    ):
        value = getattr(figures, name)
        click.echo(f"  {text:38} {'-' if value is None else f'{value:.3f} s':>10}")
    click.echo(f"  {'queries lost, of all that were sent':38} {figures.queries_lost:>8,} of {figures.queries_sent:,}")
    click.echo(f"  {'... by clients of the other PoPs':38} {figures.queries_lost_elsewhere:>8,}")
