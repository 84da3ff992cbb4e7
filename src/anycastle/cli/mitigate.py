"""`anycastle mitigate`: win traffic back from a hijack, with more-specifics that were approved in peace."""

from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import ordering_option
from anycastle.cli.controller_socket import reason_option

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller


@click.group()
def mitigate() -> None:
    """Announce approved more-specifics against a hijack, and end that."""


@mitigate.command()
@click.argument("prefix")
@reason_option
@ordering_option
def hijack(prefix: str, reason: str, controller: "Controller") -> None:
    """Announce the more-specifics of PREFIX that its service lists as mitigations, at all of its PoPs at once.

    Each needs a ROA. A second person must agree. It stays, whatever is rolled out meanwhile, until it is ended.

    \b
    anycastle mitigate hijack 192.0.2.0/23 --reason 'AS64666 announces it since 03:10'
    """
    told = controller.mitigate(prefix, reason)
    click.echo(f"rollout {told.number} announces {', '.join(told.prefixes)}: {told.share:.0%} of {prefix}")
    click.echo(f"a second person must agree: anycastle rollout approve {told.number}", err=True)


@mitigate.command()
@click.argument("prefix")
@reason_option
@ordering_option
def end(prefix: str, reason: str, controller: "Controller") -> None:
    """Announce no more what was announced against a hijack of PREFIX.

    \b
    anycastle mitigate end 192.0.2.0/23 --reason 'they stopped'
    """
    told = controller.mitigate(prefix, reason, end=True)
    click.echo(f"rollout {told.number} ends {', '.join(told.prefixes)}; see: anycastle rollout show")
