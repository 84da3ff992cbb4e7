"""`anycastle slo`: what was promised, what was kept, and what alerts will come of it."""

from types import MappingProxyType
from typing import Final

import click

from anycastle.cli.lazy_group import Command, FilesGroup, group_of

SUBCOMMANDS: Final = MappingProxyType(
    {
        "budgets": Command(
            "anycastle.cli.slo_budgets", "budgets", "What is left of each budget, and how fast it goes."
        ),
        "export": Command("anycastle.cli.slo_export", "export", "Write objectives for Prometheus, Grafana, OpenSLO."),
        "indicators": Command(
            "anycastle.cli.slo_indicators", "indicators", "What is measured, and what it leaves out."
        ),
        "minimum": Command("anycastle.cli.slo_minimum", "minimum", "How many events a burn rate needs, worked out."),
        "replay": Command("anycastle.cli.slo_replay", "replay", "False pages and delays of the rules on a history."),
        "rssac047": Command("anycastle.cli.slo_rssac047", "rssac047", "A month of root service, as RSSAC047 has it."),
        "test": Command("anycastle.cli.slo_test", "test", "Run scripts of series and expected alerts."),
    }
)
"""All subcommands."""


@click.group("slo", cls=group_of(SUBCOMMANDS, FilesGroup))
def slo() -> None:
    """Work with objectives: indicators, budgets, burn rates, and the alerts that come of them.

    \b
    Example:
      anycastle slo test alerts.slotest
    """
