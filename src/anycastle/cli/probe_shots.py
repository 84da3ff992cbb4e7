"""Shots of `anycastle probe run`: probe so often, print, and exit."""

import sys
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.cli.output import Form, Table, counted, print_json, print_ndjson, print_table

if TYPE_CHECKING:
    from anycastle.probe.result import ProbeResult
    from anycastle.probe.target import Ask

FAILED: Final = 4


def probe_and_print(
    ask: "Ask",
    target: str,
    count: int,
    interval: float,
    timeout: float,
    pattern: str | None,
    authorised: tuple[str, ...],
    form: Form,
    source_port: int | None = None,
) -> None:
    """Probe, print, and exit."""
    import asyncio
    from dataclasses import replace

    from anycastle.base.errors import MisuseError
    from anycastle.io.probe.result_json import plain
    from anycastle.probe.site import AIRPORT, parse_site_rule
    from anycastle.probe.target import aim, over_udp

    if source_port is not None and not over_udp(ask):
        raise MisuseError("--source-port is for UDP")
    rule = parse_site_rule(pattern or AIRPORT, frozenset(authorised)) if pattern or authorised else None
    aimed = replace(aim(target, ask), timeout_s=timeout, source_port=source_port or 0, site=rule)
    results = asyncio.run(_shots(aimed, count, interval, _print_line if form is Form.NDJSON else None))
    if form is Form.JSON:
        print_json([plain(result) for result in results] if count > 1 else plain(results[0]))
    elif form is Form.TABLE:
        _print_table(results)
    sys.exit(FAILED if any(result.failure for result in results) else 0)


async def _shots(target: Any, count: int, interval: float, told: Any) -> "list[ProbeResult]":
    import asyncio

    from anycastle.io.probe.attempt import attempt
    from anycastle.model.vantage_point import VantagePoint

    results = []
    for number in range(count):
        if number:
            await asyncio.sleep(interval)
        results.append(await attempt(target, VantagePoint("here")))
        if told is not None:
            told(results[-1])
    return results


def _print_line(result: "ProbeResult") -> None:
    from anycastle.io.probe.result_json import plain

    print_ndjson([plain(result)])


def _print_table(results: "list[ProbeResult]") -> None:
    """One row a probe; then what the last one saw, and in words what failed."""
    names = list(dict.fromkeys(phase.name for result in results for phase in result.phases))
    rows = []
    for result in results:
        took = {phase.name: f"{phase.duration_ms:.2f} ms" for phase in result.phases}
        outcome = "ok" if result.failure is None else result.failure.kind.value
        shown = (str(result.address or "-"), outcome, *(took.get(name, "") for name in names))
        rows.append((*shown, f"{result.duration_ms:.2f} ms", result.pop or "-", result.server or "-"))
    print_table(Table(("address", "outcome", *names, "total", "pop", "server"), rows))
    _print_hops(results[-1])
    seen = next((result.seen for result in reversed(results) if result.seen is not None), None)
    if seen is not None:
        from dataclasses import asdict

        click.echo()
        for key, value in asdict(seen).items():
            if key != "hops" and value not in (None, "", (), []):
                click.echo(f"{key.replace('_', ' ')}: {_shown(value)}")
    for words in dict.fromkeys(result.failure.words for result in results if result.failure):
        click.echo(f"failed: {words}")
    if len(results) > 1:
        good = sum(result.failure is None for result in results)
        click.echo(f"{good} of {counted(len(results), 'probe')} right")


def _print_hops(result: "ProbeResult") -> None:
    from anycastle.probe.kinds.traceroute import TraceSeen

    if not isinstance(result.seen, TraceSeen):
        return
    rows = [
        (
            str(hop.number),
            " ".join(hop.addresses) or "*",
            "  ".join("*" if rtt_ms is None else f"{rtt_ms:.2f} ms" for rtt_ms in hop.rtts_ms),
            hop.refused,
        )
        for hop in result.seen.hops
    ]
    click.echo()
    print_table(Table(("hop", "address", "round trips", ""), rows))


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    if isinstance(value, dict):
        return " ".join(_shown(each) for each in value.values())
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, float):
        return f"{value:.1f}"
    return str(value)
