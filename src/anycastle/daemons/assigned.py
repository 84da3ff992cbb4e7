"""How an assignment meets the machine that is to live by it.

The ASN, the router, the upstreams and the way to controllers are the machine's own: its agent connects to them by its
fleet files. An assignment says what is announced through them. It may leave upstreams out, through which nothing is
announced then; one that the agent does not run, or runs otherwise, it can not have: files come first, and a restart.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from anycastle.base.errors import AnycastleError, MisuseError, WorldError
from anycastle.io.access_file import AccessFile
from anycastle.io.assignment_file import Assignment, AssignmentFile
from anycastle.model.fleet import Fleet
from anycastle.model.pop import PoP


@dataclass(frozen=True, slots=True)
class Start:
    """What an agent begins with."""

    fleet: Fleet
    assignment: Assignment | None
    """What `fleet` was made of; None where that is the files alone."""
    trouble: str | None
    """Why the files were not read: the assignment is enough without them."""


async def begin_with(
    stored: AssignmentFile, access: AccessFile, pop: str, load: Callable[[], Awaitable[Fleet]]
) -> Start:
    """Give what an agent lives by when it starts: its last assignment if it ever took one, else its files.

    Raises `WorldError` and `MisuseError` where there is neither, or the stored one is damaged.
    """
    assignment = stored.load()
    if assignment is None:
        return Start(await load(), None, None)
    require_pop(assignment.fleet, pop)
    try:
        files = await load()
    except AnycastleError as error:
        return _without_files(assignment, access, error)
    return Start(_on_the_machine(assignment.fleet, files, pop), assignment, None)


def _without_files(assignment: Assignment, access: AccessFile, error: AnycastleError) -> Start:
    """Give a start without files: the controllers are those that the files named last."""
    trouble = f"it lives by its assignment alone: {error}"
    try:
        controller = access.load()
    except WorldError as another:
        controller, trouble = None, f"{trouble}; {another}"
    return Start(replace(assignment.fleet, controller=controller), assignment, trouble)


def require_pop(assignment: Fleet, pop: str) -> None:
    """Raise `MisuseError` for an assignment of another PoP."""
    found = assignment.pops[0].name
    if found != pop:
        raise MisuseError(f"the assignment is for {found}, and this is the agent of {pop}")


def fitted(assignment: Fleet, running: Fleet, pop: str) -> Fleet:
    """Give an assignment's fleet with the upstreams that the agent runs. Raises `MisuseError` where it does not fit."""
    require_pop(assignment, pop)
    told, runs = assignment.pops[0], running.pop(pop)
    upstreams = {upstream.name: upstream for upstream in runs.upstreams}
    wrong = [f"the upstream {each.name}" for each in told.upstreams if upstreams.get(each.name) != each]
    if assignment.asn != running.asn:
        wrong.insert(0, "the ASN")
    if told.router != runs.router:
        wrong.insert(0, "the router")
    if wrong:
        names = ", ".join(wrong)
        raise MisuseError(f"{names} of {pop} is not what its agent runs: bring its files up to date and restart it")
    return _on_the_machine(assignment, running, pop)


def require_same_machine(fleet: Fleet, running: Fleet, pop: str) -> None:
    """Raise `MisuseError` where files say of a PoP what its agent takes at a start only."""
    there, runs = fleet.pop(pop), running.pop(pop)
    if (fleet.asn, there.router, there.upstreams) != (running.asn, runs.router, runs.upstreams):
        raise MisuseError(f"the ASN, the router or the upstreams of {pop} changed: restart the agent to take them")


def _on_the_machine(assignment: Fleet, machine: Fleet, pop: str) -> Fleet:
    runs = machine.pop(pop)
    place: PoP = replace(assignment.pops[0], router=runs.router, upstreams=runs.upstreams)
    return replace(assignment, asn=machine.asn, pops=(place,), controller=machine.controller)
