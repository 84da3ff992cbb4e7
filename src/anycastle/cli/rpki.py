"""`anycastle rpki`: routes against the RPKI, and the fleet's ROAs against its routes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import Form, Table, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.io.rpki.cache_place import CachePlace
    from anycastle.io.rpki.export import RPKIData
    from anycastle.model.fleet import Fleet
    from anycastle.model.rpki import VRP

INVALID = 4
CODES = {"valid": 0, "not_found": 3, "invalid": INVALID}
"""Exit codes of `validate`."""

VRPS = click.option(
    "--vrps", envvar="ANYCASTLE_VRPS", metavar="FILE|URL",
    help="JSON export of rpki-client, Routinator or StayRTR; plain or packed.",
)  # fmt: skip
RTR = click.option(
    "--rtr", envvar="ANYCASTLE_RTR", metavar="HOST:PORT|tls://HOST:PORT",
    help="A validator's cache, asked by RTR; over TLS with ?ca=FILE&cert=FILE&key=FILE where those are needed.",
)  # fmt: skip
FLEET = click.option(
    "--fleet", "fleet_dir", type=click.Path(path_type=Path, file_okay=False), required=True, envvar="ANYCASTLE_FLEET",
    help="The fleet folder.",
)  # fmt: skip


@click.group()
def rpki() -> None:
    """Validate routes, audit the fleet's ROAs, plan which to create and delete.

    Data come from --vrps or --rtr, or from ANYCASTLE_VRPS or ANYCASTLE_RTR.
    """


@rpki.command()
@click.argument("prefix")
@click.argument("asn")
@VRPS
@RTR
@output_option(Form.TABLE, Form.JSON)
def validate(prefix: str, asn: str, vrps: str | None, rtr: str | None, form: Form) -> None:
    """Tell whether ASN may originate PREFIX (RFC 6811), and by which VRPs.

    Exits with 0 for valid, 3 for not found, 4 for invalid.
    """
    from anycastle.base.errors import ParseError
    from anycastle.model.asn import parse_asn
    from anycastle.model.prefix import parse_prefix

    try:
        route, origin = parse_prefix(prefix), parse_asn(asn)
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    data = read(vrps, rtr)
    validity = data.vrps.validity(route, origin)
    covering = data.vrps.covering(route)
    value = {
        "prefix": str(route),
        "origin": origin,
        "validity": validity.value,
        "vrps": [_plain(vrp) for vrp in covering],
        "built": data.built,
    }
    if form is Form.TABLE:
        click.echo(f"{route} AS{origin}: {validity.value.replace('_', ' ')}")
    rows = [
        (str(vrp.prefix), str(vrp.max_length), f"AS{vrp.asn}", _match(vrp, route.length, origin)) for vrp in covering
    ]
    if form is not Form.TABLE or rows:
        print_form(form, value, Table(("covering", "up to", "origin", ""), rows))
    sys.exit(CODES[validity.value])


def _match(vrp: "VRP", length: int, origin: int) -> str:
    if vrp.asn == 0:
        return "nobody may"
    if vrp.asn != origin:
        return "another origin"
    return "matches" if vrp.max_length >= length else "too long"


@rpki.command()
@FLEET
@VRPS
@RTR
@output_option(Form.TABLE, Form.JSON)
def audit(fleet_dir: Path, vrps: str | None, rtr: str | None, form: Form) -> None:
    """Check every announcement, and what is kept ready, against the ROAs there are.

    Exits with 4 where an announcement is invalid.
    """
    from anycastle.io.clock import now
    from anycastle.watch.roas import audit as audited

    fleet, data = _fleet(fleet_dir), read(vrps, rtr)
    issues = audited(fleet, data.vrps, now().wall)
    value = [
        {
            "code": issue.code,
            "severity": issue.severity,
            "prefix": str(issue.prefix),
            "origin": issue.origin,
            "text": issue.text,
        }
        for issue in issues
    ]
    rows = [(issue.severity, issue.code, str(issue.prefix), issue.text) for issue in issues]
    if rows or form is not Form.TABLE:
        print_form(form, value, Table(("severity", "code", "prefix", "what"), rows))
    else:
        click.echo("every route has a ROA of its own, and no ROA allows more")
    sys.exit(INVALID if any(issue.severity == "error" for issue in issues) else 0)


@rpki.command()
@FLEET
@VRPS
@RTR
@output_option(Form.TABLE, Form.JSON)
def plan(fleet_dir: Path, vrps: str | None, rtr: str | None, form: Form) -> None:
    """Print the ROAs to create and to delete: one for each planned route, none that allows more.

    As RFC 9319 and RFC 9455 have it. It changes nothing: ROAs are made at the registry that holds the prefix.
    """
    from anycastle.watch.roas import roa_plan

    fleet, data = _fleet(fleet_dir), read(vrps, rtr)
    found = roa_plan(fleet, data.vrps)
    value: dict[str, Any] = {
        "create": [{**_plain(vrp), "why": why} for vrp, why in found.create],
        "delete": [{**_plain(vrp), "why": why} for vrp, why in found.delete],
    }
    rows = [("+", str(vrp), why) for vrp, why in found.create] + [("-", str(vrp), why) for vrp, why in found.delete]
    if form is Form.TABLE and found.empty:
        click.echo("nothing to create, nothing to delete")
        return
    print_form(form, value, Table(("", "ROA", "why"), rows))
    if form is Form.TABLE and found.create and found.delete:
        message("create before you delete: a route must be valid at every moment")


def read(vrps: str | None, rtr: str | None) -> "RPKIData":
    """Give the data of the one source that is named. Raises `UsageError` where it is none, or both."""
    if (vrps is None) == (rtr is None):
        raise click.UsageError("name one source of VRPs: --vrps FILE, or --rtr HOST:PORT")
    if vrps is not None:
        from anycastle.io.rpki.export import read_export

        return read_export(vrps)
    import asyncio

    from anycastle.io.rpki.rtr import fetch

    return asyncio.run(fetch(cache_place(rtr or "")))


def cache_place(text: str) -> "CachePlace":
    """Give where a cache is. Raises `click.BadParameter`."""
    from anycastle.base.errors import ParseError
    from anycastle.io.rpki.cache_place import parse_cache_place

    try:
        return parse_cache_place(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="--rtr") from None


def _fleet(fleet_dir: Path) -> "Fleet":
    from anycastle.io.fleet_loader import load_here, usable

    return usable(*load_here(fleet_dir))


def _plain(vrp: "VRP") -> dict[str, Any]:
    return {"prefix": str(vrp.prefix), "max_length": vrp.max_length, "origin": vrp.asn}
