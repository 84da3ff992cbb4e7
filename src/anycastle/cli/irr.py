"""`anycastle irr`: what Internet routing registries hold, filters made of it, and the fleet's own objects audited.

Each subcommand is a module `irr_NAME` of its own and a line in `SUBCOMMANDS`, imported when it is run.
"""

from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, group_of

SUBCOMMANDS: Final = MappingProxyType(
    {
        "audit": Command("anycastle.cli.irr_audit", "audit", "Hold the fleet's routes against the route objects."),
        "filter": Command("anycastle.cli.irr_filter", "filter_", "Make prefix filters for BIRD or FRR of as-sets."),
        "show": Command(
            "anycastle.cli.irr_show", "show", "Show what registries hold of a prefix, an ASN or an as-set."
        ),
    }
)
"""All subcommands."""


@click.group("irr", cls=group_of(SUBCOMMANDS))
def irr() -> None:
    """Ask routing registries: show objects, make filters of as-sets, audit the fleet's own.

    The registry is a server that speaks IRRd's protocol (--server; several are tried in order), or a file of RPSL
    (--file; plain or packed). ANYCASTLE_IRR_SERVER, ANYCASTLE_IRR_FILE and ANYCASTLE_IRR_SOURCE name them for all
    commands.
    """
