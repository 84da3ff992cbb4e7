"""A plan: what would be changed, in which steps, what the checks say, and what all of that rests on.

A plan is bound to its *basis*: the revision of the fleet folder, the live revision, and digests of what else the checks
looked at. `stale` compares two of them, and says what moved. Of the health of PoPs only that of services which the plan
changes is part of the basis: a check that flaps elsewhere makes no plan stale.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.rollout.check_input import CheckInput, Evidence
from anycastle.rollout.check_table import examine
from anycastle.rollout.difference import Difference, differ
from anycastle.rollout.finding import PlanFinding, Severity
from anycastle.rollout.foreseen import ForeseenShift
from anycastle.rollout.intent import Intent
from anycastle.rollout.limits import extent_of
from anycastle.rollout.live import Live, PoPReport, digest
from anycastle.rollout.staging import Step, stage


@dataclass(frozen=True, slots=True)
class FolderRevision:
    """Which files the intent was read from."""

    commit: str | None
    """Of git; None where the folder is in no repository."""
    dirty: bool
    """Files of the folder differ from the commit."""
    digest: str
    """Of the files' names and octets."""


class InputKind(Enum):
    """What checks look at beside files and exports."""

    LIMITS = "limits"
    CANARY_UPSTREAMS = "canary-upstreams"
    RETIRED = "retired"
    WINDOWS = "windows"
    VALIDITY = "rpki-validity"
    SHIFT = "predicted-shift"
    HEALTH = "health"
    DEFINITIONS = "definitions"

    def of(self, pop: str) -> str:
        """Give the name of what is looked at of each PoP."""
        return f"{self.value}/{pop}"


_KINDS: Final = frozenset(kind.value for kind in InputKind)


def kind_of(name: str) -> InputKind | None:
    """Give the kind of a named input; None for one that this release does not know."""
    kind = name.partition("/")[0]
    return InputKind(kind) if kind in _KINDS else None


_IN_WORDS: Final[Mapping[InputKind, str]] = MappingProxyType(
    {
        InputKind.LIMITS: "the limits",
        InputKind.CANARY_UPSTREAMS: "the canary's upstreams",
        InputKind.RETIRED: "what is retired",
        InputKind.WINDOWS: "the maintenance windows that are open",
        InputKind.VALIDITY: "RPKI validity",
        InputKind.SHIFT: "the predicted shift",
        InputKind.HEALTH: "the health of ",
        InputKind.DEFINITIONS: "a definition at ",
    }
)


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a plan rests on."""

    folder: FolderRevision
    live: str
    """The live revision."""
    pops: Mapping[str, str]
    """PoP -> revision of its exports; of those that were heard."""
    inputs: Mapping[str, str]
    """What else the checks looked at -> digest. A name is an `InputKind`, of a PoP `KIND/POP`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan, judged."""

    fleet: str
    made: Timestamp
    basis: Basis
    difference: Difference
    findings: tuple[PlanFinding, ...]
    steps: tuple[Step, ...]
    foreseen: tuple[ForeseenShift, ...] | None

    @property
    def refused(self) -> bool:
        """Whether a check forbids it."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def plan_of(
    intent: Intent, live: Live, folder: FolderRevision, now: Timestamp, evidence: Evidence = Evidence()
) -> Plan:
    """Give the plan that leads from what is announced to what the files mean."""
    difference = differ(intent, live)
    extent = extent_of(intent.fleet, live)
    steps = stage(difference, intent.fleet, extent, evidence.limits, evidence.canary_upstreams)
    seen = CheckInput(intent, live, difference, steps, extent, now, evidence)
    return Plan(
        fleet=intent.fleet.name,
        made=now,
        basis=Basis(
            folder=folder,
            live=live.revision,
            pops={pop: report.revision for pop, report in sorted(live.reports.items())},
            inputs=_inputs(seen),
        ),
        difference=difference,
        findings=examine(seen),
        steps=steps,
        foreseen=evidence.foreseen,
    )


def stale(then: Basis, now: Basis) -> tuple[str, ...]:
    """Give what moved since a plan was made, each as a sentence; nothing where it still holds."""
    moved = []
    if then.folder.digest != now.folder.digest:
        moved.append("the files of the fleet folder changed")
    if then.folder.commit != now.folder.commit:
        moved.append(f"the folder's git revision was {_commit(then)} and is {_commit(now)}")
    for pop in sorted(then.pops.keys() | now.pops.keys()):
        if pop not in now.pops:
            moved.append(f"{pop} is not heard any more")
        elif pop not in then.pops:
            moved.append(f"{pop} was not heard then, and is now")
        elif then.pops[pop] != now.pops[pop]:
            moved.append(f"{pop} announces something else")
    if then.live != now.live and then.pops == now.pops:
        moved.append("other PoPs are not heard than then")
    changed = sorted(name for name in then.inputs.keys() | now.inputs if then.inputs.get(name) != now.inputs.get(name))
    return (*moved, *(f"{_in_words(name)} changed" for name in changed))


def _in_words(name: str) -> str:
    kind = kind_of(name)
    return name if kind is None else _IN_WORDS[kind] + name.partition("/")[2]


def _commit(basis: Basis) -> str:
    return basis.folder.commit[:12] if basis.folder.commit else "none"


def _inputs(seen: CheckInput) -> dict[str, str]:
    """Give a digest of each thing that the checks looked at beside files and exports."""
    evidence = seen.evidence
    named: dict[str, Iterable[str]] = {
        InputKind.LIMITS.value: [repr(evidence.limits)],
        InputKind.CANARY_UPSTREAMS.value: sorted(evidence.canary_upstreams),
        InputKind.RETIRED.value: sorted(evidence.retiring),
        InputKind.WINDOWS.value: _windows(seen),
        InputKind.VALIDITY.value: ["none"]
        if evidence.validity is None
        else sorted(f"{p} {v}" for p, v in evidence.validity.items()),
        InputKind.SHIFT.value: ["none"] if evidence.foreseen is None else map(repr, evidence.foreseen),
    }
    touched = seen.difference.services
    for pop, report in sorted(seen.live.reports.items()):
        named[InputKind.HEALTH.of(pop)] = _health(report, touched)
        named[InputKind.DEFINITIONS.of(pop)] = _definitions(report)
    return {name: digest(lines) for name, lines in named.items()}


def _windows(seen: CheckInput) -> list[str]:
    return [
        f"{service.name} {window}"
        for service in seen.intent.fleet.services
        for window in service.windows
        if window.start <= seen.now < window.end
    ]


def _definitions(report: PoPReport) -> list[str]:
    said = ((name, each.definitions) for name, each in sorted(report.services.items()))
    return [f"{name} {sorted(parts.items())}" for name, parts in said if parts is not None]


def _health(report: PoPReport, services: frozenset[str]) -> list[str]:
    lines = [f"{report.observe_only} {sorted(map(str, report.established))}"]
    for name in sorted(services & report.services.keys()):
        told = report.services[name]
        lines.append(f"{name} {told.stance.value} {told.permit.value} {told.drain.value} {told.floor}")
    return lines
