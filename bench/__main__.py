"""`python -m bench [NAME [OPTIONS]]`: one benchmark, or all of them, each with its own defaults."""

import sys
from importlib import import_module
from types import MappingProxyType

import click

BENCHES = MappingProxyType(
    {
        "agent_cost": "bench.agent_cost",
        "calibration": "bench.calibration",
        "controller_load": "bench.controller_load",
        "failover": "bench.failover",
        "link": "bench.link",
        "watch": "bench.watch",
        "mrt": "bench.mrt",
        "observe": "bench.observe",
        "simulation": "bench.simulation",
        "probes": "bench.probes",
        "twin": "bench.twin",
        "ui_scale": "bench.ui_scale",
    }
)
"""Name -> the module, whose `main` is a click command."""


def main() -> None:
    names = sys.argv[1:2] or list(BENCHES)
    for name in names:
        if name not in BENCHES:
            sys.exit(f"there is no benchmark {name!r}; there are: {', '.join(BENCHES)}")
        command: click.Command = import_module(BENCHES[name]).main
        print(f"== {name}: {command.get_short_help_str(100)}", flush=True)
        command.main(sys.argv[2:], prog_name=f"bench {name}", standalone_mode=len(names) == 1)


if __name__ == "__main__":
    main()
