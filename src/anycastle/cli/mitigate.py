"""`anycastle mitigate`: win traffic back from a hijack, with more-specifics that were approved in peace."""

from pathlib import Path

import click

from anycastle.cli.controller_socket import owner_option, reason_option, run_dir_option, say


@click.group()
def mitigate() -> None:
    """Announce approved more-specifics against a hijack, and end that."""


@mitigate.command()
@click.argument("prefix")
@reason_option
@owner_option
@run_dir_option
def hijack(prefix: str, reason: str, owner: str, run_dir: Path) -> None:
    """Announce the more-specifics of PREFIX that its service lists as mitigations, at all of its PoPs at once.

    Each needs a ROA. A second person must agree. It stays, whatever is rolled out meanwhile, until it is ended.

    \b
    anycastle mitigate hijack 192.0.2.0/23 --reason 'AS64666 announces it since 03:10'
    """
    told = say(run_dir, {"command": "mitigate", "prefix": prefix, "reason": reason, "owner": owner})
    number = told["number"]
    click.echo(f"rollout {number} announces {', '.join(told['prefixes'])}: {told['share']:.0%} of {prefix}")
    click.echo(f"a second person must agree: anycastle rollout approve {number}", err=True)


@mitigate.command()
@click.argument("prefix")
@reason_option
@owner_option
@run_dir_option
def end(prefix: str, reason: str, owner: str, run_dir: Path) -> None:
    """Announce no more what was announced against a hijack of PREFIX.

    \b
    anycastle mitigate end 192.0.2.0/23 --reason 'they stopped'
    """
    told = say(run_dir, {"command": "mitigate", "prefix": prefix, "reason": reason, "owner": owner, "end": True})
    click.echo(f"rollout {told['number']} ends {', '.join(told['prefixes'])}; see: anycastle rollout show")
