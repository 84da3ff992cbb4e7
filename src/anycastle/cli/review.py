"""`anycastle review`: a week or a month in figures, for those who look after the network."""

from pathlib import Path
from typing import Any

import click

from anycastle.cli.evidence_input import evidence_options, read_evidence
from anycastle.cli.output import message


@click.command()
@click.option("--week", metavar="2026-W48", help="An ISO week, of UTC.")
@click.option("--month", metavar="2026-11", help="A month, of UTC: with routing policy, RPKI and capacity.")
@click.option("-o", "--output", "path", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.md|FILE.html",
              help="Where it is written. [default: Markdown on standard output]")  # fmt: skip
@evidence_options
def review(week: str | None, month: str | None, path: Path | None, **files: Any) -> None:
    """Write the review of a week or a month: checks, sessions, incidents, pages, findings, changes.

    What was not given is told as not known.

    \b
    anycastle review --week 2026-W48 --fleet fleet --store sqlite:////var/lib/anycastle/controller.db --watch watch.db
    """
    from anycastle.base.errors import ParseError
    from anycastle.io.durable import write_durably
    from anycastle.io.report.html import html
    from anycastle.io.report.markdown import markdown
    from anycastle.io.report.review import document_of
    from anycastle.response.review import month_of, review_of, week_of

    if (week is None) == (month is None):
        raise click.UsageError("name one: --week, or --month")
    if path is not None and path.suffix not in (".md", ".html"):
        raise click.UsageError(f"{path.name!r} ends neither in .md nor in .html")
    try:
        span = week_of(week) if week is not None else month_of(month or "")
    except ParseError as error:
        raise click.UsageError(str(error)) from error
    known = read_evidence(**files)
    document = document_of(review_of(known.case, known.story, span), monthly=month is not None)
    if path is None:
        click.echo(markdown(document), nl=False)
        return
    write_durably(path, (html(document) if path.suffix == ".html" else markdown(document)).encode(), 0o644)
    message(f"{path} written")
