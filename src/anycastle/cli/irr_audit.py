"""`anycastle irr audit`: the fleet's own objects in registries, held against its routes."""

import sys
from pathlib import Path

import click

from anycastle.cli.irr_registry import members_of, place_of, registry_options, registry_view, sources_of
from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.rpki import FLEET, INVALID, RTR, VRPS, read


@click.command()
@FLEET
@registry_options
@click.option(
    "--as-set", "as_sets", multiple=True, metavar="AS-SET",
    help="The set that upstreams filter us by; several may be given. [default: no set is looked at]",
)  # fmt: skip
@click.option(
    "--maintainer", "maintainers", multiple=True, metavar="MNT",
    help="A maintainer of ours: objects that only others maintain are then told.",
)  # fmt: skip
@VRPS
@RTR
@output_option(Form.TABLE, Form.JSON)
def audit(
    fleet_dir: Path,
    servers: tuple[str, ...],
    file: str | None,
    sources: tuple[str, ...],
    as_sets: tuple[str, ...],
    maintainers: tuple[str, ...],
    vrps: str | None,
    rtr: str | None,
    form: Form,
) -> None:
    """Hold every route that is announced or kept ready against the route objects, and the as-sets against the origins.

    \b
    anycastle irr audit --fleet fleet --server rr.example.net --as-set AS-ALL
    anycastle irr audit --fleet fleet --file ripe.db.gz --vrps vrps.json -o json

    Exits with 4 where there is an error: an announcement without an object, a set that upstreams cannot use.
    """
    from anycastle.io.fleet_loader import load_here, usable
    from anycastle.model.irr import SetName
    from anycastle.watch.irr.audit import audit as audited

    if vrps is not None and rtr is not None:
        raise click.UsageError("name one source of VRPs: --vrps FILE, or --rtr HOST:PORT")
    names = [member for member in members_of(as_sets, "--as-set") if isinstance(member, SetName)]
    if len(names) < len(as_sets):
        raise click.BadParameter("an ASN is not an as-set", param_hint="--as-set")
    (where, file), wanted = place_of(servers, file), sources_of(sources)
    fleet = usable(*load_here(fleet_dir))
    data = None if vrps is None and rtr is None else read(vrps, rtr)
    view = registry_view(where, file, wanted, fleet, names)
    for remark in view.unreadable:
        message(remark, severity="warning")
    ours = frozenset(name.upper() for name in maintainers)
    findings = audited(fleet, view, None if data is None else data.vrps, ours)
    value = [
        {
            "code": each.code,
            "severity": each.severity,
            "subject": each.subject,
            "text": each.text,
            "evidence": list(each.evidence),
        }
        for each in findings
    ]
    rows = [(each.severity, each.code, each.subject, each.text) for each in findings]
    if rows or form is not Form.TABLE:
        print_form(form, value, Table(("severity", "code", "subject", "what"), rows))
    else:
        click.echo("every route has an object of its own, and nobody else has one for our prefixes")
    sys.exit(INVALID if any(each.severity == "error" for each in findings) else 0)
