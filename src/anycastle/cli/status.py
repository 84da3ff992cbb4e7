"""`anycastle status`: what the public is told."""

from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, group_of

COMMANDS: Final = MappingProxyType(
    {
        "export": Command("anycastle.cli.status_export", "export", "Write the public status page as files."),
        "show": Command("anycastle.cli.status_export", "show", "Show what the public is told now."),
    }
)


@click.group(cls=group_of(COMMANDS))
def status() -> None:
    """See and publish the fleet's public status page."""
