"""The command line: `anycastle COMMAND`.

Each command is a module of its own, imported only when it is run, so that `anycastle --help` stays fast. A new
command is one line in `COMMANDS` and one file.
"""

import sys
from types import MappingProxyType
from typing import Any, Final

import click

from anycastle import __version__
from anycastle.base.errors import AnycastleError
from anycastle.cli.lazy_group import Command, group_of

COMMANDS: Final = MappingProxyType(
    {
        "agent": Command("anycastle.cli.agent", "agent", "Run a PoP's agent, ask it, drain it."),
        "config": Command("anycastle.cli.config", "config", "Check, show and describe the fleet's files."),
        "demo": Command("anycastle.cli.demo", "demo", "Show the main job: a PoP fails, clients are answered."),
        "diff": Command("anycastle.cli.diff", "diff", "Show which routes the fleet's files would change."),
        "drift": Command("anycastle.cli.drift", "drift", "Show what a human changed on a router."),
        "events": Command("anycastle.cli.events", "events", "Read and verify an event log."),
        "incidents": Command(
            "anycastle.cli.incidents", "incidents", "See what alerts become: pages, tickets, incidents."
        ),
        "init": Command("anycastle.cli.init", "init", "Write a commented example fleet."),
        "irr": Command("anycastle.cli.irr", "irr", "Ask routing registries: filters of as-sets, the fleet's objects."),
        "lab": Command("anycastle.cli.lab", "lab", "Run a topology here, let something fail, see what clients see."),
        "mrt": Command("anycastle.cli.mrt", "mrt", "Print the routes of route collectors' archives."),
        "plan": Command("anycastle.cli.plan", "plan", "Preview and judge what the fleet's files would change."),
        "probe": Command("anycastle.cli.probe", "probe", "Read what probes saw: which PoP answered whom, how fast."),
        "rpki": Command("anycastle.cli.rpki", "rpki", "Validate routes, audit and plan the fleet's ROAs."),
        "slo": Command("anycastle.cli.slo", "slo", "Objectives, budgets, burn rates: test, replay, export them."),
        "speaker": Command("anycastle.cli.speaker", "speaker", "Run the embedded BGP speaker of a PoP."),
        "watch": Command("anycastle.cli.watch", "watch", "See what the Internet sees: hijacks, leaks, losses."),
        "twin": Command("anycastle.cli.twin", "twin", "Predict who lands where: routes, failures, hijacks, leaks."),
        "version": Command("anycastle.cli.version", "version", "Print the version."),
    }
)
"""All commands."""


@click.version_option(__version__, message="%(prog)s %(version)s")
@click.group(cls=group_of(COMMANDS), context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """Announce anycast services only where they can serve.

    Exit codes: 0 done, 1 an error, 2 wrong usage. Data go to standard output, messages to standard error.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line and exit with its code."""
    try:
        return cli.main(args=arguments, prog_name="anycastle")
    except AnycastleError as error:
        click.echo(f"anycastle: {error}", err=True)
        sys.exit(1)
    except OSError as error:  # of standard output, such as a full disk; what else the world does is wrapped in `io`
        click.echo(f"anycastle: {error.strerror or error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
