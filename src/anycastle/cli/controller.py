"""`anycastle controller`: the controller's process, and how it stands."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import controller_option
from anycastle.cli.controller_socket import owner_option, run_dir_option, say
from anycastle.cli.output import Form, output_option, print_json, print_table, print_yaml
from anycastle.cli.store_option import store_option
from anycastle.cli.twin_files_option import twin_files_options

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller, Told
    from anycastle.io.foretelling import TwinFiles


@click.group()
def controller() -> None:
    """Run the fleet's controller, and see how it stands."""


@controller.command()
@store_option
@click.option("--listen", default="[::]:9479", show_default=True, help="Where agents dial: ADDRESS:PORT.")
@click.option("--address", required=True, help="HOST:PORT by which agents find this controller.")
@click.option(
    "--authorities", type=click.Path(path_type=Path), required=True, help="bundle.pem of the fleet's authority."
)
@click.option("--certificate", type=click.Path(path_type=Path), required=True, help="The controller's certificate.")
@click.option("--key", type=click.Path(path_type=Path), help="Its key. [default: beside the certificate]")
@click.option("--revoked", type=click.Path(path_type=Path), help="crl.pem of the fleet's authority.")
@click.option("--api", help="Where the API is served, such as 127.0.0.1:8443. [default: nowhere]")
@click.option("--api-certificate", type=click.Path(path_type=Path), help="The API's certificate, with its chain.")
@click.option("--api-key", type=click.Path(path_type=Path), help="Its key. [default: beside the certificate]")
@click.option(
    "--oidc", type=click.Path(path_type=Path), help="The file that names the OpenID provider by which people log in."
)
@click.option(
    "--indicators",
    type=click.Path(path_type=Path),
    help="A file that names a Prometheus: of budgets, of charts, and of what gates ask.",
)
@click.option("--vrps", metavar="FILE|URL", help="JSON export of a validator: what is rolled out is checked by it.")
@click.option("--rtr", metavar="HOST:PORT", help="A validator's cache that speaks RTR, in place of an export.")
@click.option(
    "--fleet",
    type=click.Path(path_type=Path),
    help="The fleet folder whose `notify` says who is told: incidents are opened. [default: none are]",
)
@click.option(
    "--findings",
    type=click.Path(path_type=Path),
    multiple=True,
    help="A watch's event log on this machine: what it finds opens incidents too.",
)
@click.option(
    "--watch",
    "watches",
    type=click.Path(path_type=Path),
    multiple=True,
    help="The --run-dir of a watch on this machine: the API tells the routes that it sees.",
)
@twin_files_options
@run_dir_option
def run(
    store: str,
    listen: str,
    address: str,
    authorities: Path,
    certificate: Path,
    key: Path | None,
    revoked: Path | None,
    api: str | None,
    api_certificate: Path | None,
    api_key: Path | None,
    oidc: Path | None,
    indicators: Path | None,
    vrps: str | None,
    rtr: str | None,
    fleet: Path | None,
    findings: tuple[Path, ...],
    watches: tuple[Path, ...],
    twin: "TwinFiles | None",
    run_dir: Path,
) -> None:
    """Lead the fleet, or stand by while another controller does. SIGHUP reads the certificates and `notify` anew.

    \b
    anycastle controller run --address ctl1.example.net:9479 --authorities bundle.pem --certificate ctl1.pem
    """
    import asyncio

    from anycastle.base.errors import MisuseError, ParseError
    from anycastle.daemons.api_place import ApiPlace, require_safe
    from anycastle.daemons.controller_process import ControllerProcess, ControllerSettings
    from anycastle.io.link.files import CredentialFiles
    from anycastle.model.controller_access import host_and_port

    try:
        place, _ = host_and_port(listen), host_and_port(address)
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    shown = CredentialFiles(authorities, certificate, key or certificate.with_suffix(".key"), revoked)
    served = None
    if api is not None:
        try:
            key_file = api_key or (api_certificate.with_suffix(".key") if api_certificate is not None else None)
            served = ApiPlace(*host_and_port(api), api_certificate, key_file)
            require_safe(served)
        except (ParseError, MisuseError) as error:
            raise click.UsageError(f"--api: {error}") from error
    login = None
    if oidc is not None:
        from anycastle.io.config.oidc_file import load_login_settings

        if served is None:
            raise click.UsageError("--oidc is for the API: give --api too")
        try:
            login = load_login_settings(oidc)
        except (ParseError, MisuseError) as error:
            click.echo(str(error), err=True)
            raise SystemExit(2) from error
    measured = None
    if indicators is not None:
        from anycastle.io.config.indicators_file import load_indicators

        try:
            measured = load_indicators(indicators)
        except (ParseError, MisuseError) as error:
            click.echo(str(error), err=True)
            raise SystemExit(2) from error
    if vrps is not None and rtr is not None:
        raise click.UsageError("name one source of VRPs: --vrps, or --rtr")
    cache = None
    if rtr is not None:
        from anycastle.cli.rpki import cache_place

        cache = cache_place(rtr)
    if findings and fleet is None:
        raise click.UsageError("--findings open incidents: name the folder that says who is told, by --fleet")
    if twin is not None and served is None:
        raise click.UsageError("--graph is for the API: give --api too")
    settings = ControllerSettings(
        store, place, address, shown, run_dir, served, login, vrps, cache, measured, fleet, findings, watches, twin
    )
    asyncio.run(ControllerProcess(settings).run())


@controller.command()
@click.argument("name")
@click.option(
    "--role", type=click.Choice(["viewer", "operator", "approver", "admin", "prober", "watch"]), required=True
)
@click.option("--service", "services", multiple=True, help="Only for these services. [default: all]")
@click.option("--principal", help="Who answers for it; two tokens of one are one person. [default: the owner]")
@click.option("--days", type=click.FloatRange(0.001, 366), default=90.0, show_default=True, help="How long it lasts.")
@owner_option
@run_dir_option
def token(
    name: str, role: str, services: tuple[str, ...], principal: str | None, days: float, owner: str, run_dir: Path
) -> None:
    """Make a token of the API, on the machine of the controller that leads. It is printed this once.

    \b
    anycastle controller token alice --role admin
    """
    asked = {"name": name, "role": role, "principal": principal or owner, "lasts_s": days * 86_400.0}
    told = say(run_dir, {"command": "token", "owner": owner, **asked, "services": list(services) or None})
    click.echo("keep it where only its owner reads it; it is not shown again", err=True)
    click.echo(told["token"])


@controller.command()
@store_option
@click.option("--to", default="head", show_default=True, help="A version; `head` is the newest, `base` none at all.")
@click.option("--remove", is_flag=True, help="Let a lower version remove tables, with all that they hold.")
@click.option("--dry-run", is_flag=True, help="Say which version the tables have, and change nothing.")
def migrate(store: str, to: str, remove: bool, dry_run: bool) -> None:
    """Bring the database's tables to a version, as `run` does at its start.

    \b
    anycastle controller migrate --store postgresql://anycastle@db.example.net/anycastle
    """
    import asyncio

    from anycastle.io.store.migrate import migrate_at

    before, after = asyncio.run(migrate_at(store, to, remove=remove, dry_run=dry_run))
    click.echo(
        f"tables of version {before or 'none'}, {'would become' if dry_run else 'now'} {after or 'none'}", err=True
    )


@controller.command()
@controller_option
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def status(controller: "Controller", form: Form) -> None:
    """Show who leads, what is desired, which rollouts are open, which PoPs are there, and what they were ordered."""
    told = controller.status()
    if form is Form.TABLE:
        _print_status(told)
    elif form is Form.JSON:
        print_json(told)
    else:
        print_yaml(told)


def _print_status(told: "Told") -> None:
    from anycastle.cli import controller_text
    from anycastle.io.clock import now

    for line in controller_text.summary(told, now().wall):
        click.echo(line)
    if told["agents"]:
        click.echo()
        print_table(controller_text.agents_table(told["agents"]))
    elif told["leads"]:
        click.echo("no agent has dialled in yet")
    if told["orders"]:
        click.echo()
        print_table(controller_text.orders_table(told["orders"]))
