"""`anycastle config validate | show | schema`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.cli.output import (
    Form,
    Table,
    counted,
    message,
    output_option,
    print_json,
    print_ndjson,
    print_table,
    print_yaml,
)

if TYPE_CHECKING:
    from anycastle.io.config import Finding, LoadResult
    from anycastle.model.fleet import Fleet

_KINDS = ("fleet", "pop", "service")


@click.group()
def config() -> None:
    """Check, show and describe the fleet's files."""


@config.command()
@click.argument("folder", type=click.Path(path_type=Path))
@output_option(Form.TEXT, Form.JSON, Form.NDJSON)
def validate(folder: Path, form: Form) -> None:
    """Check the fleet in FOLDER, offline, and print all findings at once.

    Each is `file:line:column: key: what is wrong [code]`; the codes are explained in docs/reference/config-findings.md.
    Exit code: 0 without errors (warnings alone are no error), 1 with errors.
    """
    from anycastle.io.config import load_fleet

    result = load_fleet(folder)
    if form is Form.JSON:
        findings = [_plain_finding(finding) for finding in result.findings]
        print_json({"valid": result.fleet is not None, **_counts(result), "findings": findings})
    elif form is Form.NDJSON:
        print_ndjson(_plain_finding(finding) for finding in result.findings)
    else:
        for finding in result.findings:
            click.echo(str(finding))
    message(_summary(folder, result))
    sys.exit(0 if result.fleet else 1)


@config.command()
@click.argument("folder", type=click.Path(path_type=Path))
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def show(folder: Path, form: Form) -> None:
    """Print the fleet in FOLDER with every default filled in and every policy laid out."""
    from anycastle.io.config import load_fleet
    from anycastle.io.config.plain import plain_fleet

    result = load_fleet(folder)
    for finding in result.findings:
        message(str(finding), severity=finding.severity.value)
    if result.fleet is None:
        message(_summary(folder, result))
        sys.exit(1)
    if form is Form.JSON:
        print_json(plain_fleet(result.fleet))
    elif form is Form.YAML:
        print_yaml(plain_fleet(result.fleet))
    else:
        _print_tables(result.fleet)


@config.command()
@click.argument("kind", type=click.Choice(_KINDS), default="fleet")
def schema(kind: str) -> None:
    """Print the JSON Schema of fleet.yaml, of a PoP's file or of a service's file, for editors."""
    from anycastle.io.config.schema import json_schema

    print_json(json_schema(kind))


def _plain_finding(finding: "Finding") -> dict[str, Any]:
    return {
        "file": finding.file,
        "line": finding.line or None,
        "column": finding.column or None,
        "path": finding.path,
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
    }


def _counts(result: "LoadResult") -> dict[str, int]:
    return {"errors": len(result.errors), "warnings": len(result.warnings)}


def _summary(folder: Path, result: "LoadResult") -> str:
    counts = f"{counted(len(result.errors), 'error')}, {counted(len(result.warnings), 'warning')}"
    if result.fleet is None:
        return f"{folder}: {counts}"
    fleet = result.fleet
    return f"{folder}: {counted(len(fleet.pops), 'PoP')}, {counted(len(fleet.services), 'service')}; {counts}"


def _print_tables(fleet: "Fleet") -> None:
    print_table(
        Table(
            ("POP", "CITY", "REGION", "DRIVER", "UPSTREAMS"),
            [
                (pop.name, pop.city, pop.region, pop.router.driver, " ".join(each.name for each in pop.upstreams))
                for pop in fleet.pops
            ],
        )
    )
    click.echo()
    print_table(
        Table(
            ("SERVICE", "PREFIXES", "POPS", "CHECKS", "FLOOR"),
            [
                (
                    service.name,
                    " ".join(map(str, service.prefixes)),
                    " ".join(service.pops),
                    " ".join(check.name for check in service.checks),
                    str(service.floor.pops),
                )
                for service in fleet.services
            ],
        )
    )
