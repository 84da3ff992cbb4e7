"""`anycastle pki`: the fleet's own certificate authority, for the link between agents and controllers."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, Table, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.base.ports import Timestamp
    from anycastle.io.pki.authority import Issued

T = TypeVar("T")

DIR = click.option(
    "--dir", "folder", type=click.Path(path_type=Path, file_okay=False), default="pki", show_default=True,
    envvar="ANYCASTLE_PKI", help="The authority's folder.",
)  # fmt: skip
DAYS = click.option("--days", type=click.FloatRange(0, 36_500, min_open=True), help="For how long it is good.")


@click.group()
def pki() -> None:
    """Issue, renew and revoke the certificates of agents and controllers.

    The folder holds the authority's key: keep it off the PoPs. bundle.pem goes to all, crl.pem to controllers.

    \b
    anycastle pki init edge
    anycastle pki issue controller one --host control.example.net --out one
    anycastle pki issue pop ams --out ams
    """


@pki.command()
@click.argument("fleet")
@DIR
@DAYS
def init(fleet: str, folder: Path, days: float | None) -> None:
    """Make an authority for FLEET, the name that its certificates bear.

    Example: anycastle pki init edge --dir /root/pki
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import AUTHORITY_DAYS, create

    with_usage(lambda: create(folder, fleet, now().wall, AUTHORITY_DAYS if days is None else days))
    for name in ("ca.key", "ca.pem", "bundle.pem", "crl.pem"):
        click.echo(folder / name)
    message(f"next: anycastle pki issue controller NAME --host HOST --out FOLDER --dir {folder}")


@pki.command()
@click.argument("role", type=click.Choice(["pop", "controller"]))
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Where the two files go.")
@click.option("--host", "hosts", multiple=True, help="A name or address that agents dial; of a controller.")
@DAYS
@DIR
@output_option(Form.TEXT, Form.JSON)
def issue(
    role: str, name: str, out: Path, hosts: tuple[str, ...], days: float | None, folder: Path, form: Form
) -> None:
    """Make a key and a certificate, NAME.key and NAME.pem, for a PoP's agent or a controller.

    Example: anycastle pki issue pop ams --out ams
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority
    from anycastle.model.identity import Role

    with open_authority(folder) as authority:
        made = with_usage(lambda: authority.issue(Role(role), name, out, now().wall, hosts=hosts, days=days))
        entry = authority.issued[-1]
    if form is Form.JSON:
        paths = {"certificate": str(made[0]), "key": str(made[1])}
        print_form(form, plain(entry, now().wall) | paths, Table((), ()))
        return
    for path in made:
        click.echo(path)


@pki.command()
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False), required=False)
@click.option("--ca", is_flag=True, help="Make a new authority that issues from now on; the one before stays trusted.")
@click.option("--retire", is_flag=True, help="Trust former authorities no more, once all they issued is renewed.")
@DAYS
@DIR
def renew(certificate: Path | None, ca: bool, retire: bool, days: float | None, folder: Path) -> None:
    """Put a new certificate for the same key in the place of the one in a file; or change the authority.

    Example: anycastle pki renew ams/ams.pem
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import AUTHORITY_DAYS, open_authority

    if (certificate is not None) + ca + retire != 1:
        raise click.UsageError("name one certificate, or --ca, or --retire")
    with open_authority(folder) as authority:
        if ca:
            authority.rotate(now().wall, AUTHORITY_DAYS if days is None else days)
            message(f"give {folder / 'bundle.pem'} to all, then renew every certificate, then `pki renew --retire`")
        elif retire:
            retired = authority.retire(now().wall)
            message(f"retired: {', '.join(retired)}; give bundle.pem to all, and crl.pem to controllers")
        elif certificate is not None:
            entry = with_usage(lambda: authority.renew(certificate, now().wall, days=days))
            message(f"{certificate}: {entry.identity} is good until {day(entry.end)}")


@pki.command()
@click.argument("which", metavar="SERIAL|pop/NAME|controller/NAME")
@click.option("--reason", default="", help="Why; it is kept in the index.")
@DIR
@output_option(Form.TABLE, Form.JSON)
def revoke(which: str, reason: str, folder: Path, form: Form) -> None:
    """Revoke a certificate, or all of an identity, and write crl.pem anew.

    Controllers end the sessions of what is revoked when they read the list (SIGHUP).

    Example: anycastle pki revoke pop/ams --reason "stolen machine"
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        revoked = authority.revoke(which, reason, now().wall)
    _print(form, revoked, now().wall)
    message(f"give {folder / 'crl.pem'} to every controller, and have it reload")


@pki.command()
@click.option("--days", type=click.FloatRange(0, 3650, min_open=True), help="Until the next list is due.")
@DIR
def crl(days: float | None, folder: Path) -> None:
    """Sign the revocation list anew, with the next number and date. Run it well before the date.

    Example: anycastle pki crl --days 30
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        number = authority.write_crl(now().wall, days)
    click.echo(folder / "crl.pem")
    message(f"list number {number}")


@pki.command("list")
@DIR
@output_option(Form.TABLE, Form.JSON)
def list_(folder: Path, form: Form) -> None:
    """List what was issued.

    Example: anycastle pki list -o json
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder, changing=False) as authority:
        _print(form, list(authority.issued), now().wall)


@pki.command()
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False))
@output_option(Form.TABLE, Form.JSON)
def show(certificate: Path, form: Form) -> None:
    """Show who the certificate in a file speaks for, and how long it is good.

    Example: anycastle pki show ams/ams.pem
    """
    from anycastle.io.pki.certificates import hosts_of, identity_of, life_of, read_certificate

    read = read_certificate(certificate)
    life = life_of(read)
    value = {
        "identity": str(with_usage(lambda: identity_of(read))),
        "hosts": list(hosts_of(read)),
        "serial": f"{read.serial_number:x}",
        "start": life.start,
        "end": life.end,
    }
    told = {**value, "hosts": ", ".join(hosts_of(read)) or "-", "start": day(life.start), "end": day(life.end)}
    print_form(form, value, Table(("", "value"), [(name, str(each)) for name, each in told.items()]))


def with_usage(work: Callable[[], T]) -> T:
    """Do what may find that something was typed wrong, and say so as wrong usage."""
    try:
        return work()
    except ParseError as error:
        raise click.UsageError(str(error)) from error


def plain(entry: "Issued", at: "Timestamp") -> dict[str, Any]:
    """Give an entry as plain values."""
    return {
        "identity": entry.identity,
        "hosts": list(entry.hosts),
        "serial": entry.serial,
        "state": entry.state(at),
        "start": entry.start,
        "end": entry.end,
        "revoked_at": entry.revoked_at,
        "reason": entry.reason,
    }


def _print(form: Form, entries: "list[Issued]", at: "Timestamp") -> None:
    rows = [
        (entry.identity.split("/", 3)[-1], entry.state(at), day(entry.end), entry.serial, entry.reason)
        for entry in entries
    ]
    value = [plain(entry, at) for entry in entries]
    print_form(form, value, Table(("who", "state", "until", "serial", "reason"), rows))


def day(at: float) -> str:
    """Give a date for people."""
    import datetime as dt

    return f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d %H:%M} UTC"
