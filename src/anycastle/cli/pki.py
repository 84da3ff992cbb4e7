"""`anycastle pki`: the fleet's own certificate authority."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, Table, output_option, print_form, print_json

if TYPE_CHECKING:
    from anycastle.io.pki.authority import Issued

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


def folder_argument(command: F) -> F:
    """Give the argument for the authority's folder."""
    return click.argument("folder", type=click.Path(path_type=Path, file_okay=False))(command)


DAYS = click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it is good.")


@click.group()
def pki() -> None:
    """Keep the certificate authority by which agents and controllers know each other.

    Keep its folder where no agent is: whoever has ca.key can speak for every PoP.
    """


@pki.command()
@folder_argument
@click.option("--fleet", required=True, help="The fleet's name; it stands in every certificate.")
@click.option("--days", type=float, default=3650.0, show_default=True, help="How long the authority is good.")
def init(folder: Path, fleet: str, days: float) -> None:
    """Make an authority in a new folder.

    \b
    anycastle pki init pki --fleet example
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import create

    _typed(lambda: create(folder, fleet, now().wall, days))
    click.echo(f"{folder}: the authority of {fleet}; bundle.pem is what agents and controllers trust")


@pki.command()
@folder_argument
@click.option("--pop", help="For the agent of this PoP.")
@click.option("--controller", help="For a controller of this name.")
@click.option("--host", "hosts", multiple=True, help="A name or address by which agents dial the controller.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path(), help="Where. [default: here]")
@DAYS
@output_option(Form.TEXT, Form.JSON)
def issue(
    folder: Path,
    pop: str | None,
    controller: str | None,
    hosts: tuple[str, ...],
    out: Path,
    days: float | None,
    form: Form,
) -> None:
    """Make a key and a certificate, NAME.key and NAME.pem. No file is written over.

    \b
    anycastle pki issue pki --pop ams --out ams
    anycastle pki issue pki --controller ctl1 --host ctl1.example.net --out ctl1
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority
    from anycastle.model.identity import Role

    if (pop is None) == (controller is None):
        raise click.UsageError("name one: --pop or --controller")
    if (controller is not None) != bool(hosts):
        raise click.UsageError("--host goes with --controller, and a controller needs one at least")
    role, name = (Role.POP, pop) if pop is not None else (Role.CONTROLLER, controller)
    with open_authority(folder) as authority:
        certificate, key = _typed(lambda: authority.issue(role, name or "", out, now().wall, hosts=hosts, days=days))
        entry = authority.issued[-1]
    if form is Form.JSON:
        print_json(_plain(entry) | {"certificate": str(certificate), "key": str(key)})
    else:
        click.echo(f"{certificate}\n{key}")


@pki.command()
@folder_argument
@click.argument("certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@DAYS
def renew(folder: Path, certificate: Path, days: float | None) -> None:
    """Put a new certificate, for the same key and names, in the place of one. Sessions go on.

    A running agent shows it when it dials again; a controller reads it on SIGHUP.
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        issued = authority.renew(certificate, now().wall, days=days)
    click.echo(f"{certificate}: good until {_date(issued.end)}")


@pki.command()
@folder_argument
@click.argument("which")
@click.option("--reason", default="", help="Why; it is kept in the index.")
@output_option(Form.TEXT, Form.JSON)
def revoke(folder: Path, which: str, reason: str, form: Form) -> None:
    """Revoke the certificates of WHICH: pop/NAME, controller/NAME, or a serial number.

    Bring crl.pem to the controllers and send them SIGHUP: sessions of what was revoked end then.
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        revoked = authority.revoke(which, reason, now().wall)
    if form is Form.JSON:
        print_json([_plain(each) for each in revoked])
        return
    for each in revoked:
        click.echo(f"{each.identity} {each.serial}: revoked")


@pki.command("list")
@folder_argument
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def list_(folder: Path, form: Form) -> None:
    """Show what was issued, and what is still good."""
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder, changing=False) as authority:
        issued, fleet = authority.issued, authority.fleet
    wall = now().wall
    rows = [
        (each.identity.removeprefix(f"anycastle://{fleet}/"), each.state(wall), _date(each.end), each.serial[:16])
        for each in issued
    ]
    plain = {"fleet": fleet, "issued": [_plain(each) for each in issued]}
    print_form(form, plain, Table(("identity", "state", "until", "serial"), rows))


@pki.command()
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False))
@output_option(Form.TABLE, Form.JSON)
def show(certificate: Path, form: Form) -> None:
    """Show who the certificate in a file speaks for, and how long it is good.

    \b
    anycastle pki show ams/ams.pem
    """
    from anycastle.io.pki.certificates import hosts_of, identity_of, life_of, read_certificate

    read = read_certificate(certificate)
    life, hosts = life_of(read), hosts_of(read)
    identity, serial = str(_typed(lambda: identity_of(read))), f"{read.serial_number:x}"
    value = {"identity": identity, "hosts": list(hosts), "serial": serial, "start": life.start, "end": life.end}
    rows = [
        ("identity", identity),
        ("hosts", ", ".join(hosts) or "-"),
        ("good from", _date(life.start)),
        ("good until", _date(life.end)),
        ("serial", serial),
    ]
    print_form(form, value, Table(("certificate", str(certificate)), rows))


@pki.command()
@folder_argument
@DAYS
def crl(folder: Path, days: float | None) -> None:
    """Write the revocation list anew, before it is out of date: crl.pem."""
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        number = authority.write_crl(now().wall, days)
    click.echo(f"{folder / 'crl.pem'}: list {number}")


@pki.command()
@folder_argument
@click.option("--days", type=float, default=3650.0, show_default=True, help="How long the new authority is good.")
def rotate(folder: Path, days: float) -> None:
    """Make a new authority that issues from now on; the one before stays trusted until `retire`.

    Bring the new bundle.pem to everybody first, renew all certificates, then retire the old one.
    """
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        serial = authority.rotate(now().wall, days)
    click.echo(f"{serial} issues from now on; bundle.pem trusts both")


@pki.command()
@folder_argument
def retire(folder: Path) -> None:
    """Trust former authorities no more, once none of their certificates is good."""
    from anycastle.io.clock import now
    from anycastle.io.pki.authority import open_authority

    with open_authority(folder) as authority:
        retired = authority.retire(now().wall)
    click.echo(f"retired: {', '.join(retired) or 'none'}")


def _typed(work: Callable[[], T]) -> T:
    """Do what may find that something was typed wrong, and tell it as wrong usage."""
    try:
        return work()
    except ParseError as error:
        raise click.UsageError(str(error)) from error


def _plain(entry: "Issued") -> dict[str, Any]:
    """Give an entry of the index as plain values, with its state now."""
    import msgspec

    from anycastle.io.clock import now

    built: dict[str, Any] = msgspec.to_builtins(entry)
    return {**built, "state": entry.state(now().wall)}


def _date(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
