"""`anycastle runbook`: exact steps for bad days, carried out one by one, with what came of each in the log."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.controller_option import person
from anycastle.cli.output import Form, Table, message, output_option, print_json, print_table

if TYPE_CHECKING:
    from anycastle.cli.runbook_run import Run
    from anycastle.io.runbooks import RunLog
    from anycastle.response.runbook.document import Runbook
    from anycastle.response.runbook.progress import Progress

F = TypeVar("F", bound=Callable[..., Any])

_FOLDER: Final = click.option(
    "--runbooks", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="ANYCASTLE_RUNBOOKS", help="Your own, NAME.md; they take the place of those that come with the program.",
)  # fmt: skip
_LOG: Final = click.option(
    "--log", "log_path", type=click.Path(dir_okay=False, path_type=Path), envvar="ANYCASTLE_RUNBOOK_LOG",
    help="The event log of runs. [default: /var/lib/anycastle/runbooks/runs.db, or in your own state folder]",
)  # fmt: skip
_OWNER: Final = click.option(
    "--owner",
    help="Who, for the log. Whoever may write the log may name anybody; with ANYCASTLE_SERVER it is your token that"
    " says who you are. [default: the user]",
)  # fmt: skip


@click.group()
def runbook() -> None:
    """Show runbooks, and carry them out step by step.

    A runbook is Markdown with steps: check, command, approval, wait-for. What came of each step is written to an event
    log. What moves traffic waits for a person's word.
    """


@runbook.command("list")
@_FOLDER
@output_option(Form.TABLE, Form.JSON)
def list_runbooks(folder: Path | None, form: Form) -> None:
    """List the runbooks that there are."""
    from anycastle.io.runbooks import names

    found = [(name, where, _loaded(name, folder)) for name, where in names(folder).items()]
    if form is Form.JSON:
        print_json([{"name": name, "title": book.title, "steps": len(book.steps), "from": where,
                     "digest": book.digest} for name, where, book in found])  # fmt: skip
        return
    rows = [(name, book.title, str(len(book.steps)), where) for name, where, book in found]
    print_table(Table(("name", "title", "steps", "from"), rows))


@runbook.command()
@click.argument("name")
@_FOLDER
@output_option(Form.TEXT, Form.JSON)
def show(name: str, folder: Path | None, form: Form) -> None:
    """Show a runbook: what must be known, and each step with what it expects. NAME may be a file, too."""
    book = _loaded(name, folder)
    if form is Form.JSON:
        print_json(_plain(book))
        return
    click.echo(f"{book.title}\n\n{book.about}\n")
    for each in book.parameters:
        default = "" if each.default is None else f" [default: {each.default}]"
        click.echo(f"  {each.name}: {each.about}{default}")
    for step in book.steps:
        mark = ", dangerous" if step.dangerous else ""
        click.echo(f"\n{step.number:>2}  {step.title}  [{step.kind.value}{mark}]")
        for line in step.prose.splitlines():
            click.echo(f"    {line}".rstrip())
        click.echo(f"    $ {' '.join(step.run)}" if step.run else f"    {step.approver.value}: {step.ask}")


@runbook.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check runbooks: what is wrong, as FILE:LINE:COLUMN, and commands that this program does not have."""
    from anycastle.cli.command_line import problem_with
    from anycastle.io.runbooks import read

    wrong: list[str] = []
    for path in files:
        try:
            book = read(path)
        except ParseError as error:
            wrong.append(str(error))
            continue
        problems = [(step, problem_with(step.run)) for step in book.steps if step.run]
        wrong += [f"{path}:{step.line}:1: step {step.number}: {text}" for step, text in problems if text]
    if wrong:
        raise click.UsageError("\n".join(wrong))
    message(f"{len(files)} read, nothing wrong")


@runbook.command()
@click.argument("name")
@click.option("--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter's value. Can be repeated.")
@click.option("--incident", default="", help="The incident that it is done for, by its number.")
@click.option("--dry-run", "dry", is_flag=True, help="Ask the checks, and only show what would be changed.")
@_OWNER
@_FOLDER
@_LOG
def run(
    name: str,
    given: tuple[str, ...],
    incident: str,
    dry: bool,
    owner: str | None,
    folder: Path | None,
    log_path: Path | None,
) -> None:
    """Carry a runbook out, up to where a person is needed.

    Exits with 3 where an approval is waited for, with 4 where a step failed; `resume` goes on.

    \b
    anycastle runbook run pop-failure --set pop=fra --set service=dns --incident 1
    """
    from secrets import token_hex

    from anycastle.cli.runbook_run import Run, dry_run, ended
    from anycastle.io.clock import now
    from anycastle.model.event import RunbookStepped
    from anycastle.response.runbook.progress import BEGUN

    book = _loaded(name, folder)
    values = _values(book, given)
    if dry:
        ended(lambda: dry_run(book, values))
        return
    _require_commands(book, values)
    who = person(owner)
    with _opened(log_path) as (log, place):
        wall = now().wall
        number = 1 + len(log.runs())
        identity = f"r{number}-{token_hex(3)}"  # two that begin in one moment are two
        texts = tuple(f"{key}={value}" for key, value in values.items())
        log.write(
            wall, RunbookStepped(identity, book.name, book.digest, incident, 0, book.title, BEGUN, who, "", texts)
        )
        message(f"run {identity} of {book.name}, by {who}")
        with _alone(place, identity):
            ended(Run(book, identity, log, who, place).go)


@runbook.command()
@click.argument("identity", metavar="RUN")
@click.option(
    "--was", type=click.Choice(["done", "not-done"]), help="What became of the step that began and has no end."
)
@click.option("--skip", is_flag=True, help="Leave the step out that failed.")
@click.option("--reason", default="", help="Why, with --was and --skip.")
@_OWNER
@_FOLDER
@_LOG
def resume(
    identity: str,
    was: str | None,
    skip: bool,
    reason: str,
    owner: str | None,
    folder: Path | None,
    log_path: Path | None,
) -> None:
    """Go on with a run: after an approval, a failure, or a crash.

    A command that began and is not known to have ended is not repeated: say by --was what became of it.
    """
    from anycastle.cli.runbook_run import ended
    from anycastle.response.runbook.progress import DONE, FAILED, SKIPPED, Next, next_of

    with _going(identity, person(owner), folder, log_path) as going:
        what, step = next_of(going.runbook, going.progress)
        if was is not None and what is not Next.ASK:
            raise click.UsageError("no step of this run has begun without an end")
        if skip and (what is not Next.STOPPED or not reason):
            raise click.UsageError("--skip is for a step that failed, and needs --reason")
        if step is not None and was == "done":
            going.write(step, DONE, f"{going.who} says that it was carried out: {reason}")
        elif step is not None and was == "not-done":
            going.write(step, FAILED, f"{going.who} says that it was not carried out: {reason}")
            _again(going, step.number)
        elif step is not None and skip:
            going.write(step, SKIPPED, reason)
        elif what is Next.STOPPED and step is not None:
            _again(going, step.number)
        ended(going.go)


def _again(going: "Run", number: int) -> None:
    """Let a step that failed be tried anew: by the log it was approved for that by whoever resumes."""
    from anycastle.response.runbook.progress import AGAIN

    step = going.runbook.steps[number - 1]
    going.write(step, AGAIN)


@runbook.command()
@click.argument("identity", metavar="RUN")
@click.option("--reason", default="", help="Why it is agreed to.")
@_OWNER
@_FOLDER
@_LOG
def approve(identity: str, reason: str, owner: str | None, folder: Path | None, log_path: Path | None) -> None:
    """Agree to what a run waits for, by name; `resume` then goes on.

    \b
    anycastle runbook approve r1-01234 --owner ada
    """
    from anycastle.response.runbook.progress import APPROVED, Next, next_of, require_approver

    with _going(identity, person(owner), folder, log_path) as going:
        what, step = next_of(going.runbook, going.progress)
        if what is not Next.APPROVAL or step is None:
            raise MisuseError(f"run {identity} waits for no approval")
        require_approver(step, going.progress, going.who)
        going.write(step, APPROVED, reason)
        message(f"step {step.number} is approved by {going.who}; go on: anycastle runbook resume {identity}")


@runbook.command()
@_LOG
@output_option(Form.TABLE, Form.JSON)
def runs(log_path: Path | None, form: Form) -> None:
    """List the runs of a log, the oldest first."""
    with _opened(log_path) as (log, _):
        found = list(log.runs().values())
    if form is Form.JSON:
        print_json([_plain_run(each) for each in found])
        return
    rows = [
        (each.run, each.runbook, each.who, each.incident or "-", "over" if each.over else _where(each))
        for each in found
    ]
    if rows:
        print_table(Table(("run", "runbook", "who", "incident", "state"), rows))
    else:
        click.echo("no run")


def _where(progress: "Progress") -> str:
    last = max(progress.states, default=0)
    return f"step {last} {progress.states[last]}" if last else "begun"


def _plain_run(progress: "Progress") -> dict[str, Any]:
    return {
        "run": progress.run,
        "runbook": progress.runbook,
        "digest": progress.digest,
        "who": progress.who,
        "incident": progress.incident or None,
        "over": progress.over,
        "values": dict(progress.values),
        "steps": [
            {"step": number, "state": state, "approved_by": progress.approvals.get(number),
             "evidence": progress.evidence.get(number)}
            for number, state in sorted(progress.states.items())
        ],
    }  # fmt: skip


def _plain(book: "Runbook") -> dict[str, Any]:
    return {
        "name": book.name,
        "title": book.title,
        "digest": book.digest,
        "parameters": [{"name": each.name, "about": each.about, "default": each.default} for each in book.parameters],
        "steps": [
            {"step": step.number, "title": step.title, "kind": step.kind.value, "run": list(step.run),
             "ask": step.ask or None, "by": step.approver.value if step.ask else None, "dangerous": step.dangerous}
            for step in book.steps
        ],
    }  # fmt: skip


def _loaded(name: str, folder: Path | None) -> "Runbook":
    from anycastle.io.runbooks import load

    try:
        return load(name, folder)
    except (ParseError, MisuseError) as error:
        raise click.UsageError(str(error)) from error


def _values(book: "Runbook", given: tuple[str, ...]) -> Mapping[str, str]:
    """Give each parameter its value. Raises a usage error that tells all that is wrong."""
    from difflib import get_close_matches

    known = {each.name: each for each in book.parameters}
    values = {each.name: each.default for each in book.parameters if each.default is not None}
    wrong: list[str] = []
    for text in given:
        name, equals, value = text.partition("=")
        if name not in known:
            near = get_close_matches(name, known, n=1)
            wrong.append(
                f"{Path(book.name).stem} has no parameter {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")
            )
        elif not equals or not value:
            wrong.append(f"--set {name} needs a value: {name}=...")
        else:
            values[name] = value
    wrong += [f"--set {name}=... is needed: {each.about}" for name, each in known.items() if name not in values]
    if wrong:
        raise click.UsageError("\n".join(wrong))
    return values


def _require_commands(book: "Runbook", values: Mapping[str, str]) -> None:
    """Raise a usage error where steps are no commands of this program with these values: before anything is done."""
    from anycastle.cli.command_line import problem_with
    from anycastle.response.runbook.document import words_of

    wrong: list[str] = []
    for step in book.steps:
        try:
            problem = problem_with(words_of(step, values)) if step.run else None
        except ParseError as error:
            problem = str(error)
        if problem:
            wrong.append(f"{book.name}: step {step.number}: {problem.removeprefix(f'step {step.number}: ')}")
    if wrong:
        raise click.UsageError("\n".join(wrong))


@contextmanager
def _opened(log_path: Path | None) -> "Iterator[tuple[RunLog, Path]]":
    from anycastle.io.runbooks import RunLog, default_log

    place = log_path or default_log()
    log = RunLog(place)
    try:
        yield log, place.parent
    finally:
        log.close()


@contextmanager
def _alone(place: Path, identity: str) -> Iterator[None]:
    """Have a run for ourselves: two at once would do its steps twice."""
    import os

    from anycastle.io.lock import claim

    descriptor = claim(place, identity, "process carries this run out")
    try:
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _going(identity: str, who: str, folder: Path | None, log_path: Path | None) -> "Iterator[Run]":
    from anycastle.cli.runbook_run import Run

    with _opened(log_path) as (log, place):
        known = log.runs()
        if identity not in known:
            raise click.UsageError(
                f"there is no run {identity!r}; the last ones: {', '.join(list(known)[-5:]) or 'none'}"
            )
        book = _loaded(known[identity].runbook, folder)
        with _alone(place, identity):
            yield Run(book, identity, log, who, place)
