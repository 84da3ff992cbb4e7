"""`anycastle postmortem`: what an incident was, for those who look back at it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.controller_option import controller_option
from anycastle.cli.evidence_input import evidence_options, read_evidence
from anycastle.cli.output import message

if TYPE_CHECKING:
    from anycastle.io.controller_client.port import Controller
    from anycastle.response.postmortem import Postmortem


@click.command()
@click.argument("number", type=click.IntRange(1), metavar="ID")
@click.option("-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.md|FILE.html",
              help="Where it is written. [default: Markdown on standard output, without a picture]")  # fmt: skip
@controller_option
@evidence_options
def postmortem(number: int, path: Path | None, controller: "Controller", **files: Any) -> None:
    """Write the postmortem of an incident: times, impact by region, causes, what automation did, the timeline.

    Without files it is that of a controller's own incident, told by its log and without a picture.

    Times that the evidence does not hold are told as not known. Action items are left to people. HTML is one file with
    its picture in it; beside Markdown the picture is FILE.svg. The picture needs matplotlib (`anycastle[twin]`).

    \b
    anycastle postmortem 3 -o incident-3.html
    anycastle postmortem 1 --fleet fleet --events fra1.db --probes results.ndjson -o night.html
    """
    from anycastle.io.report.markdown import markdown
    from anycastle.io.report.postmortem import document_of
    from anycastle.response.postmortem import postmortem_of

    if path is not None and path.suffix not in (".md", ".html"):
        raise click.UsageError(f"{path.name!r} ends neither in .md nor in .html")
    if not any(value for name, value in files.items() if name != "fleet"):
        _write_live(number, path, controller)
        return
    known = read_evidence(**files)
    found = postmortem_of(known.incident(number), known.case, known.story, known.fleet)
    if path is None:
        click.echo(markdown(document_of(found, None)), nl=False)
        return
    _write(found, path)
    message(f"{path} written")


def _write_live(number: int, path: Path | None, controller: "Controller") -> None:
    from anycastle.io.durable import write_durably

    text = controller.postmortem(number, "html" if path is not None and path.suffix == ".html" else "markdown")
    if path is None:
        click.echo(text, nl=False)
        return
    write_durably(path, text.encode(), 0o644)
    message(f"{path} written")


def _write(found: "Postmortem", path: Path) -> None:
    from anycastle.io.durable import write_durably
    from anycastle.io.report.html import html
    from anycastle.io.report.markdown import markdown
    from anycastle.io.report.postmortem import document_of

    if path.suffix == ".md":
        picture = path.with_suffix(".svg")
        document = document_of(found, picture if _drawn(found, picture) else None)
        write_durably(path, markdown(document).encode(), 0o644)
        return
    with TemporaryDirectory(prefix="anycastle-postmortem-") as folder:
        picture = Path(folder) / "incident.svg"
        document = document_of(found, picture if _drawn(found, picture) else None)
        write_durably(path, html(document).encode(), 0o644)


def _drawn(found: "Postmortem", picture: Path) -> bool:
    """Draw; tell whether it could be done here."""
    from anycastle.io.report.postmortem import draw

    try:
        draw(found, picture)
    except ImportError:
        message("without a picture: matplotlib is not installed (anycastle[twin])", severity="warning")
        return False
    return True
