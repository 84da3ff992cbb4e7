"""`anycastle diagnose`: which of the twenty symptoms the evidence shows, why, and what would tell more."""

from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.cli.evidence_input import evidence_options, read_evidence
from anycastle.cli.output import Form, counted, message, output_option, print_json, styled

if TYPE_CHECKING:
    from anycastle.response.symptoms.table import Diagnosis

_COLOUR: Final = {"likely": "red", "possible": "yellow"}


@click.command()
@evidence_options
@click.option("--all", "everything", is_flag=True, help="Also what was looked for and is not there.")
@output_option(Form.TEXT, Form.JSON)
def diagnose(everything: bool, form: Form, **files: Any) -> None:
    """Tell likely causes of what is wrong, each with its evidence, what would confirm or refute it, and the runbook.

    Twenty rules look at the files that are given. A rule that lacks its evidence says so, and what it lacks. The order
    is by how much of what a cause predicts is seen; it is no probability.

    \b
    anycastle diagnose --fleet fleet --events fra1.db --watch watch.db --probes results.ndjson
    """
    from anycastle.io.response_json import plain_diagnosis
    from anycastle.response.symptoms.symptom import State
    from anycastle.response.symptoms.table import diagnose as asked

    found = asked(read_evidence(**files).case)
    if form is Form.JSON:
        print_json([plain_diagnosis(each) for each in found])
        return
    shown = [each for each in found if each.judgement.state in (State.LIKELY, State.POSSIBLE)]
    for each in shown:
        _print(each)
    if not shown:
        click.echo("none of the twenty symptoms is seen")
    blind = [each for each in found if each.judgement.state is State.NOT_ENOUGH]
    if blind:
        click.echo(styled("not enough evidence to tell:", bold=True))
    for each in blind:
        click.echo(f"  {each.symptom.number:>2}  {each.symptom.name}: lacks {'; '.join(each.judgement.missing)}")
    absent = [each for each in found if each.judgement.state is State.NOT_SEEN]
    if everything:
        click.echo(styled("looked for, and not seen:", bold=True))
        for each in absent:
            click.echo(f"  {each.symptom.number:>2}  {each.symptom.name}")
    message(f"{counted(len(shown), 'symptom')} seen, {len(absent)} not seen, {len(blind)} not to be told")


def _print(each: "Diagnosis") -> None:
    symptom, judgement = each
    state = judgement.state.value
    click.echo(styled(f"{state}  {symptom.number} {symptom.name}: {symptom.cause}", fg=_COLOUR[state], bold=True))
    for word, lines in (
        ("seen", judgement.evidence),
        ("against", judgement.against),
        ("confirm", (symptom.confirm,)),
        ("refute", (symptom.refute,)),
        ("fix", (symptom.fix,)),
        ("lacks", judgement.missing),
        ("runbook", (f"anycastle runbook show {symptom.runbook}",) if symptom.runbook else ()),
    ):
        for line in lines:
            click.echo(f"  {word:8}{line}")
    click.echo()
