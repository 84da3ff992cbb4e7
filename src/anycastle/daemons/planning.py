"""From the wish to roll a revision out to the order that does it: the checks of a plan, and the steps."""

from dataclasses import replace
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.model.rpki import ValidityOf, unknown_validity
from anycastle.rollout.check_input import Evidence, validities
from anycastle.rollout.desired import Desired
from anycastle.rollout.difference import ChangeKind
from anycastle.rollout.finding import PlanFinding, Severity
from anycastle.rollout.fleet_composer import FleetComposer
from anycastle.rollout.intent import intent_of
from anycastle.rollout.limits import BlastLimits
from anycastle.rollout.mitigation import active, active_in, base_of
from anycastle.rollout.orders import Mitigate, RollOut, RolloutPolicy, StartRollout
from anycastle.rollout.plan import Basis, FolderRevision, InputKind, Plan, kind_of, plan_of, stale
from anycastle.rollout.staged import start_of

AT_ONCE: Final = RolloutPolicy(bake_s=0.0)
"""How careful a mitigation is: somebody takes the traffic meanwhile."""

_LOOKED_AT: Final = frozenset({InputKind.HEALTH, InputKind.WINDOWS})
"""What of a plan's inputs the controller knows as well: graphs and VRPs are given to who makes a plan."""


def plan_to(composer: FleetComposer, revision: str, wall: Timestamp, evidence: Evidence = Evidence()) -> Plan:
    """Give the plan that leads from what agents say they announce to a revision."""
    fleet = composer.in_force(Desired(revision))
    live = composer.live(Desired(revision))
    return plan_of(intent_of(fleet), live, FolderRevision(None, dirty=False, digest=base_of(revision)), wall, evidence)


def order_to_start(
    composer: FleetComposer,
    desired: Desired,
    wish: RollOut,
    wall: Timestamp,
    validity: ValidityOf = unknown_validity,
) -> StartRollout:
    """Give the order that a wish comes to. Raises `MisuseError`: what moved, or what checks forbid."""
    limits = BlastLimits()
    evidence = Evidence(
        limits=limits,
        validity=validities(composer.in_force(Desired(wish.revision)), validity),
        retiring=wish.retiring,
        canary_upstreams=wish.canary_upstreams,
    )
    plan = plan_to(composer, wish.revision, wall, evidence)
    moved = () if wish.basis is None else stale(_comparable(wish.basis), _comparable(plan.basis))
    if moved:
        raise MisuseError("the plan is stale, plan again:\n" + "\n".join(moved))
    errors = [each for each in plan.findings if each.severity is Severity.ERROR]
    if errors:
        raise MisuseError("the plan is refused:\n" + "\n".join(map(_line, errors)))
    return start_of(composer, desired, wish.revision, wish.reason, wish.policy, limits, wish.canary_upstreams)


def mitigation_to_start(composer: FleetComposer, desired: Desired, wish: Mitigate, revision: str) -> StartRollout:
    """Give the order that begins or ends a mitigation: at all PoPs in one step, as each second counts.

    Only what concerns it moves; rollouts of other services go on beside it.
    """
    beside = sorted(active_in(revision) ^ active(desired))
    order = start_of(composer, desired, revision, wish.reason, AT_ONCE, concerning=frozenset(beside))
    mark = f"it announces {', '.join(map(str, beside))} against a hijack of {wish.prefix}"
    marks = order.marks if wish.end else (*order.marks, mark)
    return replace(order, steps=[frozenset().union(*order.steps)], marks=marks)


def _comparable(basis: Basis) -> Basis:
    """Give a basis with what both sides looked at. The digest of the files says more than git's commit."""
    inputs = {name: digest for name, digest in basis.inputs.items() if kind_of(name) in _LOOKED_AT}
    return replace(basis, folder=FolderRevision(None, dirty=False, digest=basis.folder.digest), inputs=inputs)


def _line(finding: PlanFinding) -> str:
    return f"{finding.code} {finding.subject}: {finding.text}"


def adoption_problem(composer: FleetComposer, revision: str, wall: Timestamp) -> str | None:
    """Tell why a revision is not what agents live by already; None where it takes nothing away and changes nothing."""
    plan = plan_to(composer, revision, wall)
    others = [each for each in plan.difference.changes if each.kind is not ChangeKind.ADDED]
    if not others:
        return None
    some = ", ".join(f"{each.kind.value} {each.key}" for each in others[:3])
    return f"{len(others)} routes are announced otherwise than revision {revision} says: {some}"
