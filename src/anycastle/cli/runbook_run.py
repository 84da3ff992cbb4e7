"""Carries out a run of a runbook, step by step; each step's beginning and end are on disk before the next one."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from anycastle.cli.output import message, styled
from anycastle.model.event import RunbookStepped
from anycastle.response.runbook import progress as states
from anycastle.response.runbook.document import Otherwise, Runbook, Step, StepKind, filled, pattern_of, words_of
from anycastle.response.runbook.progress import Next, Progress, next_of

if TYPE_CHECKING:
    from anycastle.io.command_runner import Answer
    from anycastle.io.runbooks import RunLog

WAITS: Final = 3
"""Exit code: an approval, or somebody's word on what became of a step, is waited for."""

FAILED: Final = 4
"""Exit code: a step failed."""

EVIDENCE_CHARACTERS: Final = 4000
"""Of a step's output that are kept: its end, where what went wrong is told."""

SHOWN_LINES: Final = 12


class Run:
    """One run; `go` carries out what can be done now, and gives the exit code."""

    def __init__(self, runbook: Runbook, run: str, log: "RunLog", who: str, place: Path) -> None:
        self.runbook = runbook
        self.run = run
        self.log = log
        self.who = who
        self.place = place

    @property
    def progress(self) -> Progress:
        """Give where it stands, by the log."""
        return self.log.runs()[self.run]

    def write(self, step: Step | None, state: str, evidence: str = "", who: str = "") -> None:
        """Put an event of this run into the log."""
        from anycastle.io.clock import now

        known = self.progress
        number, title = (0, self.runbook.title) if step is None else (step.number, step.title)
        event = RunbookStepped(
            self.run, self.runbook.name, self.runbook.digest, known.incident, number, title, state,
            who or self.who, evidence[-EVIDENCE_CHARACTERS:], (),
        )  # fmt: skip
        self.log.write(now().wall, event)

    def go(self) -> int:
        """Go on until the end, or until a person is needed."""
        while True:
            progress = self.progress
            what, step = next_of(self.runbook, progress)
            if what is Next.OVER:
                message(f"run {self.run} is over")
                return 0
            if step is None:
                self.write(None, states.ENDED)
                message(f"run {self.run} is done")
                return 0
            if what is not Next.DO:
                self._wait(what, step, progress)
                return FAILED if what is Next.STOPPED else WAITS
            if progress.states.get(step.number) == states.BEGUN:
                message(f"step {step.number} had begun and has no end; it changes nothing, and is asked again")
            if not self._do(step, progress.values):
                return FAILED

    def _wait(self, what: Next, step: Step, progress: Progress) -> None:
        """Tell who is needed for what."""
        self._title(step)
        again = f"anycastle runbook resume {self.run}"
        if what is Next.APPROVAL:
            click.echo(f"    {filled(step.ask, progress.values)}")
            others = f", not {progress.who}" if step.approver.value == "second person" else ""
            message(f"waits for the word of {step.approver.value}{others}: anycastle runbook approve {self.run}")
        elif what is Next.ASK:
            click.echo(f"    {' '.join(words_of(step, progress.values))}")
            message("it began, and whether it was carried out is not known; look, and say which:", severity="warning")
            message(f"  {again} --was done\n  {again} --was not-done")
        else:
            message("it failed; when that is mended, try it again, or leave it out:", severity="warning")
            message(f"  {again}\n  {again} --skip --reason WHY")

    def _title(self, step: Step) -> None:
        mark = ", dangerous" if step.dangerous else ""
        click.echo(styled(f"{step.number:>2}  {step.title}", bold=True) + f"  [{step.kind.value}{mark}]")

    def _do(self, step: Step, values: Mapping[str, str]) -> bool:
        """Carry a step out; tell whether the run may go on."""
        words = words_of(step, values)
        self._title(step)
        click.echo(f"    $ {' '.join(words)}")
        self.write(step, states.BEGUN, " ".join(words))
        answer, met = self._answered(step, words, values)
        evidence = f"$ {' '.join(words)}\n{_told(answer)}\n{answer.output}".rstrip()
        for line in answer.output.splitlines()[-SHOWN_LINES:]:
            click.echo(f"    {_safe(line)}")
        if answer.code is None and step.kind is StepKind.COMMAND:
            message(f"it did not end within {step.within_s:g} s and was stopped", severity="error")
            self._wait(Next.ASK, step, self.progress)
            return False  # begun, and no end is written: somebody is asked
        self.write(step, states.DONE if met else states.FAILED, evidence)
        click.echo(f"    {_told(answer)}: {'as expected' if met else 'not as expected'}")
        if not met and step.otherwise is Otherwise.STOP:
            self._wait(Next.STOPPED, step, self.progress)
        return met or step.otherwise is Otherwise.CONTINUE

    def _answered(self, step: Step, words: tuple[str, ...], values: Mapping[str, str]) -> "tuple[Answer, bool]":
        """Ask once; or, of a wait, until it is as expected or time is up."""
        from anycastle.io.command_runner import run_anycastle

        if step.kind is not StepKind.WAIT_FOR:
            answer = run_anycastle(words, step.within_s)
            return answer, met(step, answer, values)
        ends = time.monotonic() + step.within_s
        while True:
            left = ends - time.monotonic()
            answer = run_anycastle(words, max(1.0, min(left, 60.0)))
            if met(step, answer, values) or time.monotonic() + step.every_s >= ends:
                return answer, met(step, answer, values)
            time.sleep(step.every_s)


def met(step: Step, answer: "Answer", values: Mapping[str, str]) -> bool:
    """Tell whether an answer is what a step expects."""
    pattern = pattern_of(step, values)
    return answer.code in step.expect.exits and (pattern is None or pattern.search(answer.output) is not None)


def _safe(line: str) -> str:
    """Give a line that a command printed, its columns as they are; a terminal obeys nothing of it."""
    return "".join(each if each.isprintable() else "?" for each in line.expandtabs())


def _told(answer: "Answer") -> str:
    ended = "stopped, for it did not end" if answer.code is None else f"exit {answer.code}"
    return f"{ended} after {answer.took_s:.1f} s"


def dry_run(runbook: Runbook, values: Mapping[str, str]) -> int:
    """Show each step as it would be done: checks are asked, waits once; commands are read by the command line only."""
    from anycastle.cli.command_line import problem_with
    from anycastle.io.command_runner import run_anycastle

    wrong = 0
    for step in runbook.steps:
        mark = ", dangerous" if step.dangerous else ""
        click.echo(styled(f"{step.number:>2}  {step.title}", bold=True) + f"  [{step.kind.value}{mark}]")
        if step.kind is StepKind.APPROVAL:
            click.echo(f"    would ask {step.approver.value}: {filled(step.ask, values)}")
            continue
        words = words_of(step, values)
        problem = problem_with(words)
        if problem is not None:
            wrong += 1
            click.echo(f"    {problem}")
        elif step.kind is StepKind.COMMAND:
            click.echo(f"    would run: {' '.join(words)}")
            if step.undo:
                click.echo(f"    its undoing: {filled(step.undo, values)}")
        else:
            click.echo(f"    $ {' '.join(words)}")
            answer = run_anycastle(words, step.within_s)
            good = met(step, answer, values)
            wrong += not good and step.kind is StepKind.CHECK and step.otherwise is Otherwise.STOP
            for line in answer.output.splitlines()[-SHOWN_LINES:]:
                click.echo(f"    {_safe(line)}")
            click.echo(f"    {_told(answer)}: {'as expected' if good else 'not as expected'}")
    message(f"a dry run: nothing was changed or written; {wrong} of {len(runbook.steps)} steps would stop it")
    return FAILED if wrong else 0


def ended(go: Callable[[], int]) -> None:
    """Exit with the code of a run, 0 by returning."""
    code = go()
    if code:
        sys.exit(code)
