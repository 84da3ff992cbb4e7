"""`anycastle status export` and `show`: the public status page as files, and as a table. Neither needs a token."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.controller_option import CA_FILE, SERVER_VARIABLE
from anycastle.cli.output import Form, Table, message, output_option, print_json, print_table

if TYPE_CHECKING:
    import httpx2

SERVER = click.option(
    "--server", metavar="URL", envvar=SERVER_VARIABLE, default="http://127.0.0.1:8080", show_default=True,
    help="A controller's API. The status page is public: no token is sent.",
)  # fmt: skip


def _client(server: str, ca_file: Path | None) -> "httpx2.Client":
    from anycastle.base.errors import MisuseError
    from anycastle.io.controller_client.http import client_of

    try:
        return client_of(server, ca_file)
    except MisuseError as error:
        raise click.UsageError(f"--server: {error}") from error


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option("--every", type=click.FloatRange(5.0), metavar="SECONDS", help="Go on, once each so many seconds.")
@SERVER
@CA_FILE
def export(folder: Path, every: float | None, server: str, ca_file: Path | None) -> None:
    """Write the public status page into FOLDER: `index.html`, and `api/v2/summary.json` for programs.

    Any web server can serve the folder, on a machine that has nothing to do with the controller. Each file is replaced
    in one step. Where the controller does not answer, the page is made anew from what it said last, and says how old
    that is; the exit code is 1 then, unless it goes on.

    \b
    anycastle status export /srv/status --server https://ctl1.example.net:8443 --every 30
    """
    from time import sleep

    from anycastle.base.errors import AnycastleError
    from anycastle.io import status_files
    from anycastle.io.clock import now

    with _client(server, ca_file) as client:
        while True:
            try:
                status_files.export(folder, status_files.fetch(client), now().wall)
            except AnycastleError as error:
                message(f"{error}; {_aged(folder)}", severity="error")
                if every is None:
                    raise SystemExit(1) from error
            if every is None:
                return
            sleep(every)


def _aged(folder: Path) -> str:
    """Have the page that is there say how old it is; give what came of it."""
    from anycastle.base.errors import AnycastleError
    from anycastle.io import status_files
    from anycastle.io.clock import now

    try:
        return "the page says how old it is" if status_files.age(folder, now().wall) else "no page is there yet"
    except AnycastleError as error:
        return str(error)


@click.command()
@SERVER
@CA_FILE
@output_option(Form.TABLE, Form.JSON)
def show(server: str, ca_file: Path | None, form: Form) -> None:
    """Show what the public is told now.

    \b
    anycastle status show -o json
    """
    from anycastle.io.status_files import checked, fetch

    with _client(server, ca_file) as client:
        told = checked(fetch(client), server)
    if form is Form.JSON:
        print_json(told)
        return
    rows = [
        ("  " * (each["group_id"] is not None) + each["name"], each["status"] if each["known"] else "not known")
        for each in told["components"]
    ]
    print_table(Table(("component", "status"), rows))
    message(f"{told['status']['description']}, as of {told['page']['updated_at']}")
