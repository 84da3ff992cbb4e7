"""Where a run of a runbook stands: a fold over its events, and what is to be done next.

Theory of operation. Each step writes `begun` before it does anything and `done` or `failed` when what came of it is
known; both are on disk before the run goes on. So after a crash a step is one of three: not begun, ended, or *begun and
not known to have ended*. A command of the third kind may have been carried out: somebody is asked, and says `done` or
`again`. Checks and waits change nothing and are simply asked again. Approvals are events of their own, by name, and
hold for the run; whoever runs it cannot be the second person.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from anycastle.base.errors import MisuseError
from anycastle.model.event import RunbookStepped
from anycastle.response.runbook.document import Approver, Otherwise, Runbook, Step, StepKind

BEGUN, DONE, FAILED, APPROVED = "begun", "done", "failed", "approved"
SKIPPED, AGAIN, ENDED = "skipped", "again", "ended"


class Next(Enum):
    """What a run needs."""

    DO = "do"
    APPROVAL = "approval"
    ASK = "ask"
    """Somebody must say whether a step was carried out."""
    STOPPED = "stopped"
    """A step failed; somebody must say that it is to be tried again, or skipped."""
    END = "end"
    """All is done; only the end is to be written."""
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Progress:
    """A run, as its events tell it."""

    run: str
    runbook: str
    digest: str
    incident: str
    who: str
    values: Mapping[str, str]
    states: Mapping[int, str] = field(default_factory=dict)
    """Step -> its last state."""
    approvals: Mapping[int, str] = field(default_factory=dict)
    """Step -> who approved."""
    evidence: Mapping[int, str] = field(default_factory=dict)
    over: bool = False


def runs_of(events: Iterable[RunbookStepped]) -> dict[str, Progress]:
    """Give the runs of a log, the oldest first."""
    begun: dict[str, RunbookStepped] = {}
    later: dict[str, list[RunbookStepped]] = {}
    for event in events:
        if event.step == 0 and event.state == BEGUN:
            begun[event.run] = event
            later[event.run] = []
        elif event.run in later:
            later[event.run].append(event)
    return {run: _folded(first, later[run]) for run, first in begun.items()}


def _folded(first: RunbookStepped, later: list[RunbookStepped]) -> Progress:
    steps = [event for event in later if event.step]
    return Progress(
        first.run, first.runbook, first.digest, first.incident, first.who,
        dict(each.partition("=")[::2] for each in first.values),
        {event.step: event.state for event in steps},
        {event.step: event.who for event in steps if event.state == APPROVED},
        {event.step: event.evidence for event in steps if event.evidence},
        any(event.step == 0 and event.state == ENDED for event in later),
    )  # fmt: skip


def next_of(runbook: Runbook, progress: Progress) -> tuple[Next, Step | None]:
    """Tell what is to be done next, and of which step. Raises `MisuseError` where the file is another by now."""
    if runbook.digest != progress.digest:
        raise MisuseError(
            f"{runbook.name} was changed since run {progress.run} began ({progress.digest}, now {runbook.digest}): "
            "a run goes on with the file that it began with"
        )
    if progress.over:
        return Next.OVER, None
    for step in runbook.steps:
        state = progress.states.get(step.number)
        if state in (DONE, SKIPPED, APPROVED) or (state == FAILED and step.otherwise is Otherwise.CONTINUE):
            continue
        if step.kind is StepKind.APPROVAL:
            return Next.APPROVAL, step
        if state == FAILED:
            return Next.STOPPED, step
        if state == BEGUN and step.kind is StepKind.COMMAND:
            return Next.ASK, step
        return Next.DO, step
    return Next.END, None


def require_approver(step: Step, progress: Progress, who: str) -> None:
    """Raise `MisuseError` where somebody may not approve a step."""
    if step.kind is not StepKind.APPROVAL:
        raise MisuseError(f"step {step.number} needs no approval")
    if not who.strip():
        raise MisuseError("an approval is a person's: name one")
    if step.approver is Approver.SECOND_PERSON and who.strip().casefold() == progress.who.strip().casefold():
        raise MisuseError(f"step {step.number} needs a second person: {who} runs this")
