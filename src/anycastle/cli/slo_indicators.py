"""`anycastle slo indicators`: M1 to M10, each with its definition and what it leaves out."""

from dataclasses import asdict

import click

from anycastle.cli.output import Form, Table, output_option, print_form


@click.command()
@click.argument("name", required=False)
@output_option(Form.TABLE, Form.JSON)
def indicators(name: str | None, form: Form) -> None:
    """List the indicators, or tell all about one.

    \b
    Example:
      anycastle slo indicators routing_success
    """
    from anycastle.slo.indicators.table import INDICATORS

    if name is None:
        rows = [
            (each.id, each.name, each.unit, f"{each.minimum:g} {each.counts}", each.target)
            for each in INDICATORS.values()
        ]
        print_form(form, [asdict(each) for each in INDICATORS.values()],
                   Table(("id", "name", "unit", "minimum", "commonly promised"), rows))  # fmt: skip
        return
    found = next((each for each in INDICATORS.values() if name in (each.name, each.id)), None)
    if found is None:
        raise click.UsageError(f"there is no indicator {name!r}; there are {', '.join(INDICATORS)}")
    if form is Form.JSON:
        print_form(form, asdict(found), Table((), ()))
        return
    for heading, words in (
        (f"{found.id} {found.name}", ""),
        ("measured", f"{found.definition} Unit: {found.unit}. Source: {found.source}."),
        ("left out", "; ".join(f"{what} ({why})" for what, why in found.excludes)),
        ("minimum", f"{found.minimum:g} {found.counts}: {found.minimum_why}"),
        ("promised", found.target),
        ("beware", found.gotcha),
    ):
        click.echo(f"{heading}: {words}" if words else heading)
