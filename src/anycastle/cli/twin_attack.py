"""`anycastle twin attack`: what to announce against an attack, worked out beforehand."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, Table, message, output_option, print_form, print_table
from anycastle.cli.twin_fleet_input import (
    Question,
    amount,
    fleet_options,
    open_question,
    parse_load,
    percent,
)
from anycastle.cli.twin_input import about_graph, check_asns, parse_as, progress, show_remarks
from anycastle.io.as_weights import read_loads, read_weights
from anycastle.io.catchments.text import read_text
from anycastle.io.config.findings import did_you_mean
from anycastle.io.option_table import read_options
from anycastle.twin.attack import (
    Estimate,
    Mix,
    Seen,
    attack_range,
    estimate,
    mix_of_asns,
    mix_of_label,
    uniform_mix,
)
from anycastle.twin.ensemble import Ensemble
from anycastle.twin.forecast import named_by
from anycastle.twin.load import shares_by_pop
from anycastle.twin.playbook import Attack, Option, Outcome, Playbook, make_options, play
from anycastle.twin.predict import whereabouts
from anycastle.twin.regions import region_of_label
from anycastle.twin.sweep import compile_deployment

OVERLOADED_SHOWN: Final = 3
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@fleet_options
@click.option("--load", "user_load", required=True, metavar="LOAD", help="Of all users together, such as 38G.")
@click.option("--attack", "attack_load", metavar="LOAD", help="Of the whole attack, such as 200G.")
@click.option("--observed", type=_FILE, help="CSV with pop and load: what PoPs serve now. Tells how large it is.")
@click.option("--mix", "mixes", multiple=True, metavar="MIX",
              help="uniform, users, region:NAME, country:CC, asn:A,B,... or a CSV of weights.")  # fmt: skip
@click.option("--options", "table", type=_FILE,
              help="CSV: name, then PoPs or POP/UPSTREAMs in its first line; prepends, - for withdrawn.")  # fmt: skip
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the N best options.")
@click.option("--by-pop", is_flag=True, help="A column a PoP: shares of users and attack there.")
@output_option(Form.TABLE, Form.JSON)
def attack(
    user_load: str,
    attack_load: str | None,
    observed: Path | None,
    mixes: tuple[str, ...],
    table: Path | None,
    top: int | None,
    by_pop: bool,
    form: Form,
    **given: Any,
) -> None:
    """Rank what could be announced against an attack, by the users that are served.

    A PoP that gets more than its capacity drops the same part of users and attack. KEPT is the share of users that is
    served, MOVED those that land elsewhere than now. Without --options: each PoP withdrawn, prepended, alone, and each
    upstream left out.

    Example: anycastle twin attack --fleet myfleet --load 20G --attack 150G --mix uniform --top 5
    """
    if (attack_load is None) == (observed is None):
        raise click.UsageError("say how large the attack is by --attack, or let it be found by --observed")
    users = parse_load(user_load, "--load") or 0.0
    size = parse_load(attack_load, "--attack")
    question = open_question(given)
    chosen = _mixes(question, mixes)
    scene = _Scene.of(question, users, table)
    estimates = None if observed is None else scene.estimates(chosen, _observed(observed, scene))
    playbooks = scene.play(chosen, size, estimates)
    _print(form, question, estimates, playbooks, top, by_pop)
    show_remarks(question.intent.remarks)


def _mixes(question: Question, names: Sequence[str]) -> list[Mix]:
    found = [_mix(question, name) for name in names or ("uniform",)]
    for mix in found:
        if mix.absent:
            message(f"mix {mix.name}: {percent(mix.absent)} of it is of ASes that this graph does not have")
    return found


def _mix(question: Question, name: str) -> Mix:
    graph = question.graph
    kind, _, rest = name.partition(":")
    if name == "uniform":
        return uniform_mix(graph)
    if name == "users":
        return Mix("users", question.weights.of_node)
    if kind in ("region", "country") and rest:
        if not question.labels:
            raise click.BadParameter("a graph of a file has no regions; give --regions", param_hint="--mix")
        labels = question.labels
        if kind == "region":
            labels = {asn: region_of_label(label) or label for asn, label in labels.items()}
        return mix_of_label(graph, rest, labels, question.weights.of_node)
    if kind == "asn" and rest:
        asns = [parse_as(word, "--mix") for word in rest.split(",")]
        check_asns(graph, asns, "--mix")
        return mix_of_asns(graph, name, {int(asn): 1.0 for asn in asns})
    if Path(name).is_file():
        return mix_of_asns(graph, Path(name).name, read_weights(Path(name)).of_asn)
    words = f"{name!r} is none of uniform, users, region:NAME, country:CC and asn:A,B,..., and no file"
    raise click.BadParameter(words, param_hint="--mix")


@dataclass(frozen=True, slots=True)
class _Scene:
    """The fleet's deployment, ready to run options."""

    question: Question
    ensemble: Ensemble
    options: tuple[Option, ...]
    user_load: float
    capacity: tuple[float | None, ...]

    @staticmethod
    def of(question: Question, user_load: float, table: Path | None) -> "_Scene":
        deployment, present = question.intent.deployment, question.intent.configuration
        options = make_options(deployment, present)
        if table is not None:
            options = (options[0], *read_options(read_text(table), str(table), deployment, present))
        named = named_by(option.configuration for option in options)
        compiled = compile_deployment(question.graph, deployment, named=named)
        where = None if question.region is None else whereabouts(question.region, question.intent.sites)
        ensemble = Ensemble.of(compiled, question.randomness, question.members, where)
        of_site = {site.name: site.capacity for site in question.intent.sites}
        return _Scene(question, ensemble, options, user_load, tuple(of_site[pop] for pop in deployment.pops))

    @property
    def pops(self) -> tuple[str, ...]:
        return self.question.intent.deployment.pops

    def shares(self, of_node: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the share of each PoP under the present option, float64[member, pop]."""
        return shares_by_pop(self.ensemble.run(self.options[0].configuration), of_node)[:, :-1]

    def estimates(self, mixes: Sequence[Mix], load: NDArray[np.float64]) -> tuple[Estimate, ...]:
        users = self.user_load * self.shares(self.question.weights.of_node)
        seen = Seen(self.pops, load, self.capacity, users)
        return estimate(seen, {mix.name: self.shares(mix.of_node) for mix in mixes})

    def play(self, mixes: Sequence[Mix], size: float | None, estimates: Sequence[Estimate] | None) -> list[Playbook]:
        """Give the playbook of each mix; where loads are observed, of the mix that fits best."""
        alike = None
        if estimates is not None:
            mixes = [mix for mix in mixes if mix.name == estimates[0].mix]
            size, alike = estimates[0].attack.mean, estimates[0].alike
        found = []
        with progress(len(mixes), "playbook") as bar:
            for mix in mixes:
                against = Attack(mix.name, self.question.weights.of_node, self.user_load, mix.of_node, size or 0.0)
                found.append(play(self.ensemble, self.options, against, self.capacity, alike))
                bar.update(1)
        return found


def _observed(path: Path, scene: _Scene) -> NDArray[np.float64]:
    loads = read_loads(path)
    unknown = [pop for pop in loads if pop not in scene.pops]
    if unknown:
        raise ParseError(f"{path}: no PoP {unknown[0]!r} announces{did_you_mean(unknown[0], scene.pops)}")
    missing = [pop for pop in scene.pops if pop not in loads]
    if missing:
        raise ParseError(f"{path}: the load of {', '.join(missing)} is missing; write 0 where nothing comes")
    return np.array([loads[pop] for pop in scene.pops])


def _print(
    form: Form,
    question: Question,
    estimates: Sequence[Estimate] | None,
    playbooks: Sequence[Playbook],
    top: int | None,
    by_pop: bool,
) -> None:
    if form is Form.JSON:
        print_form(form, _plain(question, estimates, playbooks, top), Table((), ()))
        return
    if estimates is not None:
        print_table(_estimate_table(estimates))
        low, high = attack_range(estimates)
        message(f"the attack offers {amount(low)} to {amount(high)}, over the mixes that fit")
        if not estimates[0].bounded:
            message("all PoPs that it reaches are full: this is the least that it can be", severity="warning")
        if not estimates[0].fits:
            message("no mix explains the loads within a tenth; give others by --mix", severity="warning")
        click.echo()
    for number, playbook in enumerate(playbooks):
        if number:
            click.echo()
        message(
            f"{playbook.mix}: users {amount(playbook.user_load)}, attack {amount(playbook.attack_load)}; "
            f"as now {percent(playbook.present.kept.mean)} of users are served"
        )
        print_table(_table(playbook, top, by_pop))


def _estimate_table(estimates: Sequence[Estimate]) -> Table:
    rows = [
        (each.mix, "yes" if each.fits else "no", ("" if each.bounded else ">= ") + amount(each.attack.mean),
         f"{amount(each.attack.p5)}-{amount(each.attack.p95)}",
         amount(sum(each.offered)), amount(each.unseen), percent(each.misfit))
        for each in estimates
    ]  # fmt: skip
    return Table(("MIX", "FITS", "ATTACK", "P5-P95", "OFFERED", "UNSEEN", "MISFIT"), rows)


def _table(playbook: Playbook, top: int | None, by_pop: bool) -> Table:
    rows = []
    for alike in _grouped(playbook.outcomes)[:top]:
        each, others = alike[0], len(alike) - 1
        name = each.option.name + (f" (+{others} alike)" if others else "")
        cells = [name, percent(each.kept.mean), f"{100 * each.kept.p5:.1f}-{100 * each.kept.p95:.1f} %"]
        cells += [percent(each.moved), _overloaded(playbook, each)]
        shares = zip(each.users, each.attack, strict=True)
        cells += [f"{100 * users:.0f}/{100 * sources:.0f} %" for users, sources in shares] if by_pop else []
        rows.append(tuple(cells))
    columns: tuple[str, ...] = ("OPTION", "KEPT", "P5-P95", "MOVED", "OVERLOADED")
    return Table((*columns, *(pop.upper() for pop in playbook.pops if by_pop)), rows)


def _overloaded(playbook: Playbook, outcome: Outcome) -> str:
    """Name the PoPs that may be overloaded, the likeliest first, with how likely it is where it is not certain."""
    chances = sorted(zip(outcome.overload_chance, playbook.pops, strict=True), key=lambda each: (-each[0], each[1]))
    named = [pop if chance > 0.995 else f"{pop} {100 * chance:.0f} %" for chance, pop in chances if chance >= 0.05]
    more = [f"{len(named) - OVERLOADED_SHOWN} more"] if len(named) > OVERLOADED_SHOWN else []
    return ", ".join(named[:OVERLOADED_SHOWN] + more) or "-"


def _grouped(outcomes: Sequence[Outcome]) -> list[list[Outcome]]:
    """Put options together that do the same, the first of them first."""
    groups: dict[tuple[float, ...], list[Outcome]] = {}
    for each in outcomes:
        groups.setdefault((each.moved, *each.users, *each.attack), []).append(each)
    return list(groups.values())


def _plain(
    question: Question, estimates: Sequence[Estimate] | None, playbooks: Sequence[Playbook], top: int | None
) -> dict[str, Any]:
    pops = question.intent.deployment.pops
    return {
        "service": question.intent.service,
        "prefix": str(question.intent.prefix),
        "graph": about_graph(question.graph),
        "weights": {"source": question.weights.source, "unplaced": round(question.weights.unplaced, 6)},
        "estimates": None if estimates is None else [_plain_estimate(each, pops) for each in estimates],
        "playbooks": [
            {
                "mix": playbook.mix,
                "user_load": playbook.user_load,
                "attack_load": round(playbook.attack_load),
                "options": [_plain_outcome(playbook, each) for each in playbook.outcomes[:top]],
            }
            for playbook in playbooks
        ],
        "remarks": [{"kind": r.kind.value, "subject": r.subject, "text": r.text} for r in question.intent.remarks],
    }


def _plain_estimate(found: Estimate, pops: Sequence[str]) -> dict[str, Any]:
    return {
        "mix": found.mix,
        "fits": found.fits,
        "attack": {name: round(getattr(found.attack, name)) for name in ("mean", "p5", "p50", "p95")},
        "at_least": not found.bounded,
        "offered": dict(zip(pops, map(round, found.offered), strict=True)),
        "unseen": round(found.unseen),
        "misfit": round(found.misfit, 6),
    }


def _plain_outcome(playbook: Playbook, outcome: Outcome) -> dict[str, Any]:
    columns = (playbook.pops, outcome.users, outcome.attack, outcome.load, playbook.capacity, outcome.overload_chance)
    return {
        "option": outcome.option.name,
        "kept": {name: round(getattr(outcome.kept, name), 6) for name in ("mean", "p5", "p50", "p95")},
        "moved": round(outcome.moved, 6),
        "no_route": round(outcome.no_route, 6),
        "overloaded": list(outcome.overloaded(playbook.pops)),
        "pops": [
            {"name": pop, "users": round(users, 6), "attack": round(sources, 6), "load": round(load),
             "capacity": capacity, "overload_chance": round(chance, 6)}
            for pop, users, sources, load, capacity, chance in zip(*columns, strict=True)
        ],
    }  # fmt: skip
