"""`anycastle version`."""

import click

from anycastle import __version__
from anycastle.cli.output import Form, output_option, print_json


@click.command()
@output_option(Form.TEXT, Form.JSON)
def version(form: Form) -> None:
    """Print the version."""
    if form is Form.JSON:
        print_json({"version": __version__})
    else:
        click.echo(f"anycastle {__version__}")
