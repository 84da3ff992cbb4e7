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
        "adopt": Command("anycastle.cli.apply", "adopt", "Have the controller take over a fleet as it is announced."),
        "agent": Command("anycastle.cli.agent", "agent", "Run a PoP's agent, ask it, drain it."),
        "apply": Command("anycastle.cli.apply", "apply", "Have the controller roll a fleet folder out, in steps."),
        "backup": Command("anycastle.cli.backup", "backup", "Write all that a controller keeps into a file."),
        "break-glass": Command("anycastle.cli.freeze", "break_glass", "Go on in spite of a freeze; takes two people."),
        "config": Command("anycastle.cli.config", "config", "Check, show and describe the fleet's files."),
        "controller": Command(
            "anycastle.cli.controller", "controller", "Run the fleet's controller, see how it stands."
        ),
        "demo": Command("anycastle.cli.demo", "demo", "Show the main job: a PoP fails, clients are answered."),
        "diagnose": Command(
            "anycastle.cli.diagnose", "diagnose", "Tell likely causes of what is wrong, with their evidence."
        ),
        "diff": Command("anycastle.cli.diff", "diff", "Show which routes the fleet's files would change."),
        "drain": Command("anycastle.cli.drain", "drain", "Take services from PoPs gracefully."),
        "drift": Command("anycastle.cli.drift", "drift", "Show what a human changed on a router."),
        "events": Command("anycastle.cli.events", "events", "Read and verify an event log."),
        "freeze": Command("anycastle.cli.freeze", "freeze", "Let the controller change nothing by itself."),
        "incidents": Command(
            "anycastle.cli.incidents", "incidents", "See what alerts become: pages, tickets, incidents."
        ),
        "init": Command("anycastle.cli.init", "init", "Write a commented example fleet."),
        "irr": Command("anycastle.cli.irr", "irr", "Ask routing registries: filters of as-sets, the fleet's objects."),
        "lab": Command("anycastle.cli.lab", "lab", "Run a topology here, let something fail, see what clients see."),
        "login": Command("anycastle.cli.login", "login", "Log in at a controller's API through your provider."),
        "mitigate": Command(
            "anycastle.cli.mitigate", "mitigate", "Win traffic back from a hijack, with approved more-specifics."
        ),
        "mrt": Command("anycastle.cli.mrt", "mrt", "Print the routes of route collectors' archives."),
        "notify": Command("anycastle.cli.notify", "notify", "Try who is told of incidents; see what reached nobody."),
        "pki": Command("anycastle.cli.pki", "pki", "Keep the certificates of agents and controllers."),
        "plan": Command("anycastle.cli.plan", "plan", "Preview and judge what the fleet's files would change."),
        "postmortem": Command(
            "anycastle.cli.postmortem", "postmortem", "Write what an incident was: times, impact, causes, timeline."
        ),
        "preflight": Command("anycastle.cli.readiness", "preflight", "Go through the checklist before production."),
        "probe": Command("anycastle.cli.probe", "probe", "Probe; read what probes saw: which PoP answered whom."),
        "prober": Command("anycastle.cli.prober", "prober", "Probe targets on a schedule, as a vantage point."),
        "ready": Command("anycastle.cli.readiness", "ready", "Go through the checklist of production."),
        "restore": Command("anycastle.cli.backup", "restore", "Put a backup into a controller's database."),
        "review": Command("anycastle.cli.review", "review", "Write the review of a week or a month."),
        "rollout": Command("anycastle.cli.rollout", "rollout", "Look at rollouts, hold them, take them back."),
        "rpki": Command("anycastle.cli.rpki", "rpki", "Validate routes, audit and plan the fleet's ROAs."),
        "runbook": Command("anycastle.cli.runbook", "runbook", "Show runbooks, carry them out step by step."),
        "slo": Command("anycastle.cli.slo", "slo", "Objectives, budgets, burn rates: test, replay, export them."),
        "speaker": Command("anycastle.cli.speaker", "speaker", "Run the embedded BGP speaker of a PoP."),
        "status": Command("anycastle.cli.status", "status", "See and publish the public status page."),
        "steer": Command("anycastle.cli.drain", "steer", "Send traffic elsewhere, and keep announcing."),
        "telemetry": Command(
            "anycastle.cli.telemetry", "telemetry", "Count what clients got: logs, filters, OTLP, probers."
        ),
        "thaw": Command("anycastle.cli.freeze", "thaw", "End a freeze."),
        "twin": Command("anycastle.cli.twin", "twin", "Predict who lands where: routes, failures, hijacks, leaks."),
        "undrain": Command("anycastle.cli.drain", "undrain", "End drains."),
        "up": Command("anycastle.cli.up", "up", "Run a controller with all that it needs, in one folder."),
        "upstream": Command("anycastle.cli.upstream", "upstream", "See upstreams: their sessions, what each is told."),
        "version": Command("anycastle.cli.version", "version", "Print the version."),
        "watch": Command("anycastle.cli.watch", "watch", "See what the Internet sees: hijacks, leaks, losses."),
        "withdraw": Command("anycastle.cli.drain", "withdraw", "Take services from PoPs at once, in an emergency."),
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
