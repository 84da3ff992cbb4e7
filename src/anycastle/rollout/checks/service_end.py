"""PLN004: a service would be announced nowhere.

Its file was deleted, its PoPs or upstreams are all told not to announce, or a list came out empty. Nothing of that is
read as a wish. A service whose file is gone ends where the plan names it as retiring; no name helps against the floor
of a service whose file is there.
"""

from collections.abc import Iterator

from anycastle.rollout.check_input import CheckInput
from anycastle.rollout.difference import UNKNOWN_SERVICE, Change
from anycastle.rollout.finding import PlanFinding, Severity, bounded


def service_end(seen: CheckInput) -> Iterator[PlanFinding]:
    """Give the services that would end everywhere."""
    described = {service.name for service in seen.intent.fleet.services}
    ending: dict[str, list[Change]] = {}
    for change in seen.withdrawn():
        ending.setdefault(change.service, []).append(change)
    for name, changes in sorted(ending.items()):
        if any(True for _ in seen.intent.of_service(name)):
            continue
        pops = ", ".join(dict.fromkeys(change.key.pop for change in changes))
        evidence = bounded([f"- {change.key}" for change in changes])
        if name in seen.evidence.retiring and name not in described:
            yield PlanFinding("PLN004", Severity.WARNING, name, f"is retired: it ends at {pops}", evidence)
            continue
        why = "the files announce it nowhere" if name in described else "the folder has no file of it"
        hint = "" if name in described or name == UNKNOWN_SERVICE else f"; --retire {name} says that this is meant"
        yield PlanFinding("PLN004", Severity.ERROR, name, f"would end at {pops}: {why}{hint}", evidence)
