"""Everything that can have happened, as typed, immutable facts.

Each class is one kind of event; `KINDS` lists them all. An event says what was seen, decided or done, with its reason;
it never carries a secret. `io.event_log` stores them in a hash chain, and views are folds over that log.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from anycastle.base.ports import Timestamp


@dataclass(frozen=True, slots=True)
class AgentStarted:
    """The agent began its work; `recovered` tells whether it found its earlier state."""

    version: str
    recovered: bool
    observe_only: bool


@dataclass(frozen=True, slots=True)
class AgentStopped:
    """The agent stopped in good order."""

    reason: str


@dataclass(frozen=True, slots=True)
class CheckChanged:
    """A check's verdict changed after rise or fall consecutive answers."""

    service: str
    check: str
    verdict: str
    evidence: str


@dataclass(frozen=True, slots=True)
class StanceChanged:
    """What the PoP means to do with a service changed: `announce`, `steer` or `withdraw`."""

    service: str
    stance: str
    reason: str
    evidence: str


@dataclass(frozen=True, slots=True)
class AnnouncementsFound:
    """What the router exported when the agent began: what `AnnouncementsApplied` changes from there on."""

    announced: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnouncementsApplied:
    """The router was told; `announced` and `withdrawn` are `prefix upstream` pairs as text."""

    announced: tuple[str, ...]
    changed: tuple[str, ...]
    withdrawn: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnouncementsConfirmed:
    """The routes that the router really exports equal what was wanted."""

    routes: int


@dataclass(frozen=True, slots=True)
class RouterDiverged:
    """The router exports something else than what is wanted, or does not answer."""

    problem: str
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WithdrawalRefused:
    """A withdrawal was wanted, and no permit allowed it: the PoP goes on announcing."""

    service: str
    reason: str


@dataclass(frozen=True, slots=True)
class PermitChanged:
    """A withdraw permit was granted, used, freed or given back. `epoch` is the grant's number."""

    service: str
    change: str
    epoch: int


@dataclass(frozen=True, slots=True)
class DrainChanged:
    """A drain moved to another step."""

    scope: str
    step: str
    owner: str
    reason: str


@dataclass(frozen=True, slots=True)
class AssignmentTaken:
    """The agent lives by a controller's assignment from here on: one that was sent, or the one on its `disk`."""

    digest: str
    origin: str
    services: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignmentRefused:
    """The agent does not take an assignment, and lives on as before."""

    digest: str
    reason: str


@dataclass(frozen=True, slots=True)
class LeaseLapsed:
    """The watchdog found the agent silent for too long and acted in its place."""

    service: str
    action: str
    silent_s: float


@dataclass(frozen=True, slots=True)
class SessionChanged:
    """A BGP session of the embedded speaker changed its state."""

    upstream: str
    neighbour: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class ControllerMet:
    """A session with a controller began; `version` is the protocol's, `term` numbers the controller's lead."""

    address: str
    term: int
    version: int


@dataclass(frozen=True, slots=True)
class ControllerLost:
    """The session with the controller ended: the agent goes on alone."""

    address: str
    reason: str
    lasted_s: float


@dataclass(frozen=True, slots=True)
class OperatorCommanded:
    """An operator asked for something; `granted` tells whether it was done."""

    command: str
    owner: str
    reason: str
    granted: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that a human should look at; `code` is stable, the text may change."""

    code: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class FindingOpened:
    """The Internet sees our prefixes otherwise than meant; a finding is one kind of trouble with one culprit."""

    finding: str
    """Its identity, the same in all events of its life."""
    finding_kind: str
    severity: str
    subject: str
    """The culprit, such as `AS64666`, or what is concerned where there is none."""
    prefixes: tuple[str, ...]
    score: int
    reasons: tuple[str, ...]
    peers: int
    asns: int
    collectors: int
    validity: str
    """What RPKI says of it: `valid`, `invalid`, `not_found`, or `unknown` while there are no VRPs."""
    at_start: bool
    """It was so already when watching began."""
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingUpdated:
    """An open finding concerns other prefixes, or is seen by many more peers."""

    finding: str
    finding_kind: str
    severity: str
    subject: str
    prefixes: tuple[str, ...]
    score: int
    reasons: tuple[str, ...]
    peers: int
    asns: int
    collectors: int
    validity: str
    at_start: bool
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingCleared:
    """A finding is over: the Internet sees what is meant again."""

    finding: str
    finding_kind: str
    severity: str
    subject: str
    prefixes: tuple[str, ...]
    reasons: tuple[str, ...]
    lasted_s: float


@dataclass(frozen=True, slots=True)
class ConvergenceMeasured:
    """How the Internet's full-feed peers took one change of ours, from the router's own UPDATE.

    Percentiles are in seconds and count peers that had not converged as still converging (None: beyond what was
    seen).
    """

    prefix: str
    action: str
    pops: tuple[str, ...]
    peers: int
    reacted: int
    censored: int
    first_reaction_s_p50: float | None
    converged_s_p50: float | None
    converged_s_p90: float | None
    converged_s_p95: float | None
    unreachable_s_p95: float | None
    paths_p50: float | None
    paths_max: int
    converged_s: tuple[float, ...] = ()
    """Of each peer that converged: what other changes' are put together with, where percentiles could not be."""
    censored_s: tuple[float, ...] = ()
    """Of each that had not, until when it was watched."""


@dataclass(frozen=True, slots=True)
class RolloutChanged:
    """A rollout came into another state, or was paused. `step` counts the steps that are desired of its revision."""

    rollout: int
    state: str
    step: int
    steps: int
    paused: bool
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class GateJudged:
    """A gate says something else of a rollout's step than before: `pass`, `fail` or `no data`."""

    rollout: int
    step: int
    gate: str
    verdict: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """A second person approved a rollout, or the breaking of a glass."""

    subject: str
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class FreezeChanged:
    """The controller changes nothing by itself any more, or does again."""

    frozen: bool
    who: str
    reason: str


@dataclass(frozen=True, slots=True)
class IncidentChanged:
    """An incident was `opened`, `came back`, was `acknowledged`, `widened` by an alert, got a `note`, was `cleared`."""

    incident: int
    change: str
    status: str
    urgency: str
    title: str
    alert: str
    """The kind of the alert that opened it."""
    pops: tuple[str, ...]
    services: tuple[str, ...]
    prefixes: tuple[str, ...]
    who: str
    text: str


@dataclass(frozen=True, slots=True)
class NoticeSent:
    """A notifier took a notice. `delay_s` is from when the notice was due to when it was taken."""

    notice: str
    incident: int
    notice_kind: str
    notifier: str
    attempts: int
    delay_s: float


@dataclass(frozen=True, slots=True)
class NoticeDead:
    """A notice reached nobody by this notifier, and is not sent again by itself."""

    notice: str
    incident: int
    notice_kind: str
    notifier: str
    attempts: int
    why: str


@dataclass(frozen=True, slots=True)
class RunbookStepped:
    """A step of a runbook's run began, ended, or was approved. What began and has no end may or may not have been done.

    `state` is `begun`, `done`, `failed`, `again`, `approved`, `skipped` or `ended`; step 0 stands for the whole run.
    """

    run: str
    runbook: str
    digest: str
    """Of the file as it was when the run began."""
    incident: str
    """As the incident is called; empty where the run belongs to none."""
    step: int
    title: str
    state: str
    who: str
    evidence: str
    """What was typed and what was answered, shortened."""
    values: tuple[str, ...]
    """`name=value` of the run's parameters, with the event that begins it."""


Body = (
    AgentStarted
    | AgentStopped
    | CheckChanged
    | StanceChanged
    | AnnouncementsFound
    | AnnouncementsApplied
    | AnnouncementsConfirmed
    | RouterDiverged
    | WithdrawalRefused
    | PermitChanged
    | DrainChanged
    | AssignmentTaken
    | AssignmentRefused
    | LeaseLapsed
    | SessionChanged
    | ControllerMet
    | ControllerLost
    | OperatorCommanded
    | Alarm
    | FindingOpened
    | FindingUpdated
    | FindingCleared
    | ConvergenceMeasured
    | RolloutChanged
    | GateJudged
    | ApprovalGiven
    | FreezeChanged
    | IncidentChanged
    | NoticeSent
    | NoticeDead
    | RunbookStepped
)

KINDS: Final[Mapping[str, type[Body]]] = MappingProxyType(
    {
        "agent_started": AgentStarted,
        "agent_stopped": AgentStopped,
        "check_changed": CheckChanged,
        "stance_changed": StanceChanged,
        "announcements_found": AnnouncementsFound,
        "announcements_applied": AnnouncementsApplied,
        "announcements_confirmed": AnnouncementsConfirmed,
        "router_diverged": RouterDiverged,
        "withdrawal_refused": WithdrawalRefused,
        "permit_changed": PermitChanged,
        "drain_changed": DrainChanged,
        "assignment_taken": AssignmentTaken,
        "assignment_refused": AssignmentRefused,
        "lease_lapsed": LeaseLapsed,
        "session_changed": SessionChanged,
        "controller_met": ControllerMet,
        "controller_lost": ControllerLost,
        "operator_commanded": OperatorCommanded,
        "alarm": Alarm,
        "finding_opened": FindingOpened,
        "finding_updated": FindingUpdated,
        "finding_cleared": FindingCleared,
        "convergence_measured": ConvergenceMeasured,
        "rollout_changed": RolloutChanged,
        "gate_judged": GateJudged,
        "approval_given": ApprovalGiven,
        "freeze_changed": FreezeChanged,
        "incident_changed": IncidentChanged,
        "notice_sent": NoticeSent,
        "notice_dead": NoticeDead,
        "runbook_stepped": RunbookStepped,
    }
)
"""Stored name -> class. A name, once stored, is never changed or used again."""

KIND_OF: Final[Mapping[type[Body], str]] = MappingProxyType({kind: name for name, kind in KINDS.items()})


@dataclass(frozen=True, slots=True)
class Event:
    """A fact: when (wall time), at which PoP, and what."""

    at: Timestamp
    pop: str
    body: Body
