"""What the twin foresees of a plan."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from anycastle.base.errors import MisuseError
from anycastle.cli.output import message
from anycastle.cli.twin_fleet_input import Question, open_question, parse_load
from anycastle.rollout.as_announced import fleet_as_announced, routes_after
from anycastle.rollout.difference import Difference
from anycastle.rollout.foreseen import ForeseenPoP, ForeseenShift, Loss
from anycastle.rollout.live import Live
from anycastle.twin.intent import Intent, intent_of, without_pops
from anycastle.twin.predict import Asked, predict_shift

if TYPE_CHECKING:
    from pathlib import Path

    from anycastle.model.fleet import Fleet
    from anycastle.model.prefix import Prefix
    from anycastle.twin.predicted_shift import PredictedShift


def foresee(
    fleet_dir: "Path", fleet: "Fleet", live: Live, difference: Difference, given: dict[str, Any]
) -> tuple[ForeseenShift, ...]:
    """Give the shift for each service that changes; prefixes that change alike are predicted once, for the first."""
    if difference.empty:
        return ()
    load = parse_load(given["load"], "--load")
    question = open_question(
        {
            "fleet": fleet_dir, "service": None, "prefix": None, "graph_name": given["graph"],
            "weights": given["weights"], "regions": None, "asn_ranges": None, "seed": 1, "members": 128,
            "no_cache": False,
        }
    )  # fmt: skip
    exported = live.exported
    after = routes_after(exported, difference.changes)
    found = []
    for service, prefix in _distinct(fleet, difference):
        try:
            now = intent_of(fleet_as_announced(fleet, service, prefix, exported), question.graph, service, prefix)
            then = intent_of(fleet_as_announced(fleet, service, prefix, after), question.graph, service, prefix)
            shift = _predict(question, now, then, load)
        except MisuseError as error:
            message(f"no shift is predicted for {service} {prefix}: {error}", severity="warning")
            continue
        found.append(_foreseen(shift, tuple(_losses(question, then, load))))
    return tuple(found)


def _distinct(fleet: "Fleet", difference: Difference) -> Iterator[tuple[str, "Prefix"]]:
    """Give services and prefixes that change, one of those that change alike."""
    seen = set()
    named = {service.name for service in fleet.services}
    for service, prefix in dict.fromkeys((change.service, change.key.prefix) for change in difference.changes):
        alike = frozenset(
            (change.key.pop, change.key.upstream, change.before, change.after)
            for change in difference.changes
            if (change.service, change.key.prefix) == (service, prefix)
        )
        if service in named and (service, alike) not in seen:
            seen.add((service, alike))
            yield service, prefix


def _predict(question: Question, now: Intent, then: Intent, load: float | None) -> "PredictedShift":
    asked = Asked(question.weights, load, None, question.members, question.region)
    return predict_shift(question.graph, now, then, question.randomness, asked)


def _losses(question: Question, then: Intent, load: float | None) -> Iterator[Loss]:
    """Let each PoP that announces be lost in turn, and give where it is then fullest."""
    announcing = then.deployment.announcing(then.configuration)
    if load is None or len(announcing) < 2:
        return
    for lost in sorted(announcing):
        shift = _predict(question, then, without_pops(then, (lost,)), load)
        loads = [(pop, pop.load.mean, pop.capacity) for pop in shift.pops if pop.load and pop.capacity]
        full = [(carried / room, pop.name, carried, room) for pop, carried, room in loads if pop.name != lost]
        if full:
            _, name, carried, room = max(full)
            yield Loss(lost, name, carried, room)


def _foreseen(shift: "PredictedShift", losses: tuple[Loss, ...]) -> ForeseenShift:
    date = f" of {shift.graph.date}" if shift.graph.date else ""
    return ForeseenShift(
        service=shift.service,
        prefix=shift.prefix,
        graph=f"graph {shift.graph.name}{date}",
        pops=tuple(
            ForeseenPoP(
                pop.name,
                pop.now.mean,
                pop.after.mean,
                pop.capacity,
                None if pop.load is None else pop.load.mean,
                pop.overload_chance,
            )
            for pop in shift.pops
        ),
        moved=shift.moved.mean,
        moved_though_kept=shift.moved_though_kept.mean,
        ases_moved_though_kept=shift.ases_moved_though_kept.mean,
        doubt=shift.doubt,
        losses=losses,
    )
