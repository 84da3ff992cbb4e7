"""`anycastle slo test`: scripts of series and the alerts that are to come of them."""

import sys
from pathlib import Path

import click

from anycastle.base.errors import ParseError, WorldError
from anycastle.cli.output import counted, message

FAILED = 1


@click.command("test")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def test(files: tuple[Path, ...]) -> None:
    """Run scripts: objectives, series, and what is expected at which time.

    Prints a line a script. Exits with 1 where an expectation is not met, with 2 where a script cannot be read.

    \b
    Example, as FILE:
      objective reach
        target 99.9%
        by region
      load 1m
        good{region="eu"} 1000x60 980x30
        bad{region="eu"}  0x60    20x30
      at 90m
        alert page 5m/1h global
        alert page 5m/1h eu
    """
    from anycastle.slo.script import parse_script
    from anycastle.slo.script_run import run

    scripts, wrong = [], []
    for path in files:
        try:
            scripts.append((path, parse_script(_text(path), str(path))))
        except ParseError as error:
            wrong.append(str(error))
    if wrong:
        raise click.UsageError("\n".join(wrong))
    failed = False
    for path, script in scripts:
        failures = run(script)
        failed = failed or bool(failures)
        click.echo(f"{path}: {'FAILED' if failures else 'ok'}, {counted(len(script.moments), 'moment')}")
        for failure in failures:
            message(f"{failure.where}: {failure.words}", severity="error")
    sys.exit(FAILED if failed else 0)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ParseError(f"{path}: octet {error.start} is not UTF-8") from error
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
