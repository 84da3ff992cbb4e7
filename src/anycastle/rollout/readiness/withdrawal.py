"""PRE004: services are withdrawn by themselves, as far as floors allow; and that was rehearsed."""

from collections.abc import Iterator, Mapping
from typing import Final

from anycastle.base.ports import Timestamp
from anycastle.model.permit import PermitState
from anycastle.model.service import Service
from anycastle.rollout.live import Live
from anycastle.rollout.readiness.row import Asked, Row, answered, unknown

CODE: Final = "PRE004"
TITLE: Final = "Prefixes are withdrawn by automation, within bounds, and that was rehearsed"

DAY_S: Final = 86_400.0
REHEARSED_S: Final = 90 * DAY_S
"""How long a rehearsal stands: routers, people and upstreams change."""


def withdrawal(asked: Asked) -> Row:
    """Look for what would keep a service from being withdrawn where it fails, and for the last time that it was."""
    if asked.live is None:
        return unknown(CODE, TITLE, "no agent was asked", "name what agents say: --controller, --socket or --live")
    wrong = [each for service in asked.fleet.services for each in _holds_back(service, asked.live)]
    reports = sorted(asked.live.reports.items())
    wrong += [f"{pop}: its agent only observes" for pop, said in reports if said.observe_only]
    if asked.rehearsed is None:
        wrong.append("whether it was rehearsed is not known: no log was given")
    else:
        wrong += _unrehearsed(asked, asked.rehearsed)
    good = [f"{each.name}: floor of {each.floor.pops} of {len(each.pops)} PoPs" for each in asked.fleet.services]
    advice = "mend these, and drain each service once: `anycastle drain SERVICE --pop POP`"
    return answered(CODE, TITLE, good, wrong, advice)


def _holds_back(service: Service, live: Live) -> Iterator[str]:
    if service.floor.pops >= len(service.pops):
        yield f"{service.name}: its floor is all of its PoPs, so nothing can be withdrawn"
        return
    said = [live.reports[pop].services[service.name] for pop in service.pops if _told(live, pop, service.name)]
    if len(said) == len(service.pops) and all(each.permit is PermitState.NONE for each in said):
        yield f"{service.name}: no PoP holds a permit to withdraw it"


def _told(live: Live, pop: str, service: str) -> bool:
    return pop in live.reports and service in live.reports[pop].services


def _unrehearsed(asked: Asked, rehearsed: Mapping[str, Timestamp]) -> Iterator[str]:
    for service in asked.fleet.services:
        last = rehearsed.get(service.name)
        if last is None:
            yield f"{service.name}: the log knows of no drain of it"
        elif asked.now - last > REHEARSED_S:
            days, most = ((asked.now - last) / DAY_S, REHEARSED_S / DAY_S)
            yield f"{service.name}: last drained {days:.0f} days ago, and {most:.0f} are the most"
