"""A calibrated model: for every AS the chance of each PoP under any announced set, learned from experiments.

Theory of operation. Catchments become pairwise preferences (`twin.evidence`); collector paths become hints
(`twin.path_field`); strengths are fitted in layers (`twin.strengths`). What a pair that nobody announced together would
give on the whole (its level) is far less certain than how ASes differ within it, for there are as many levels to learn
from as experiments. So the level has a model of its own, with few numbers: the mean hint of paths, scaled, and a
correction for each PoP, drawn towards none. ASes are then shifted so that their mean chance is the level before their
own answers count: what an AS said itself is not to be undone by a mean.

For more than two PoPs, the log odds of the pairs are projected to one utility for each PoP (the mean over its pairs),
and the chances are their softmax; for two this is the pair's chance itself.

Nothing is drawn at random: the same experiments give the same model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.catchment import CollectorPath, Experiment, Neighbour
from anycastle.twin.evidence import Evidence, gather, pair_index, pairs_of
from anycastle.twin.graph import ASGraph
from anycastle.twin.path_field import PathField, lean, make_field
from anycastle.twin.provenance import Provenance
from anycastle.twin.strengths import (
    Floats,
    Layer,
    OwnStrengths,
    Surroundings,
    contrasts,
    fit_own,
    fit_surroundings,
    logistic,
    logit,
    offset_to,
)

# Found by leaving out one pair at a time on the PEERING experiments of 2019; see docs/design/calibration.md.
COUNTRY_HALF: Final = 30.0
PROVIDER_HALF: Final = 10.0
HINT_SIGN: Final = 0.3
HINT_GAP: Final = 0.3
HINT_LEAN: Final = 0.3
LEVEL_PRIOR: Final = (0.5, 0.7)
"""What the level is of the mean lean's log odds and of the mean gap, before any experiment."""
LEVEL_RIDGE_SLOPE: Final = 3.0
LEVEL_RIDGE_POP: Final = 8.0
LEVEL_RIDGE_START: Final = 0.5
"""Of the first round: a correction that is large has to be seen as large before the tail can spare it."""
LEVEL_TAIL: Final = 0.3
"""Corrections beyond this are drawn less: most PoPs need none, and one whose replies get lost needs much."""
LEVEL_CLIP: Final = 0.7
"""Residuals beyond this count linearly, so that one experiment that contradicts the others does not turn them."""
LEVEL_ROUNDS: Final = 25
LEVEL_MIN: Final = 0.01
OWN_SCALE: Final = 2.0
"""Own strengths are drawn towards none by a ridge, which is right for most ASes and too much for those that differ."""
GROUP_SCALE: Final = 0.6
"""What groups prefer in other pairs holds for a pair that nobody announced, but less."""
RELEVEL: Final = 1.0
"""How far the mean chance is brought back to the level after own answers; 1: wholly."""
MEASURED_RIGHT: Final = 0.956
"""How often ping and traceroute of one AS agree in one experiment: no answer is more certain."""


@dataclass(frozen=True, slots=True)
class Observations:
    """All that a calibration reads."""

    experiments: tuple[Experiment, ...]
    paths: tuple[CollectorPath, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    country: Mapping[int, str] = field(default_factory=dict)
    """ASN -> country."""


@dataclass(frozen=True, slots=True)
class Terrain:
    """What is known of ASes and PoPs before any catchment is measured; the same for every experiment left out."""

    pops: tuple[str, ...]
    asn: NDArray[np.uint32]
    hint: Floats
    """float64[as, pair]: log odds about their mean; 0 where no path tells."""
    slope: Floats
    """float64[pair, 2]: the mean lean's log odds, and the mean gap."""
    placed: NDArray[np.bool_]
    """bool[as]: paths or providers are known."""
    layers: tuple[Layer, ...]
    graph: str = ""
    graph_date: str = ""


def survey(observations: Observations, graph: ASGraph) -> Terrain:
    """Give the terrain of these PoPs over all ASes of the graph and of the experiments. Takes a second or two."""
    plain = [each for each in observations.experiments if not each.configuration]
    pops = tuple(sorted({pop for each in plain for pop in each.announced}))
    if len(pops) < 2:
        raise MisuseError("a calibration needs experiments with two PoPs or more announced together")
    measured = np.unique(np.concatenate([each.asn for each in plain]))
    path_field = make_field(graph, observations.paths, observations.neighbours, pops, measured)
    asn = np.unique(np.concatenate([graph.asn, measured]))
    hint, slope = _hints(path_field, np.searchsorted(path_field.asn, asn))
    providers = _provider_layer(path_field, asn)
    placed = np.zeros(len(asn), np.bool_)
    placed[providers.row] = True
    placed |= path_field.known[np.searchsorted(path_field.asn, asn)]
    layers = (_country_layer(observations.country, asn), providers)
    return Terrain(pops, asn, hint, slope, placed, layers, graph.origin.name, graph.origin.date)


def _hints(path_field: PathField, at: NDArray[np.int64]) -> tuple[Floats, Floats]:
    pairs = pairs_of(len(path_field.pops))
    known = path_field.known[at]
    hint, slope = np.zeros((len(at), len(pairs))), np.zeros((len(pairs), 2))
    if not known.any():
        return hint, slope
    for pair, (first, second) in enumerate(pairs):
        gap = path_field.nearer(int(first), int(second))[at]
        odds = lean(path_field, int(first), int(second))[at]
        column = HINT_SIGN * np.sign(gap) + HINT_GAP * np.tanh(gap / 2) + HINT_LEAN * odds
        hint[:, pair] = np.where(known, column - column[known].mean(), 0.0)
        slope[pair, 0] = float(logit(float(logistic(odds[known]).mean())))
        slope[pair, 1] = float(np.tanh(gap[known] / 2).mean())
    return hint, slope


def _country_layer(country: Mapping[int, str], asn: NDArray[np.uint32]) -> Layer:
    names = [country.get(int(each), "") for each in asn]
    index = {name: at for at, name in enumerate(sorted(set(names) - {""}))}
    rows = [(row, index[name]) for row, name in enumerate(names) if name]
    entries = np.array(rows, np.int64).reshape(-1, 2)
    return Layer(entries[:, 0], entries[:, 1], max(1, len(index)), COUNTRY_HALF)


def _provider_layer(path_field: PathField, asn: NDArray[np.uint32]) -> Layer:
    """Give the layer of providers that have two customers or more."""
    where = np.full(len(path_field.asn), -1, np.int64)
    where[np.searchsorted(path_field.asn, asn)] = np.arange(len(asn))
    row, provider = where[path_field.transit[:, 1]], path_field.transit[:, 0]
    provider, row = provider[row >= 0], row[row >= 0]
    several = np.bincount(provider, minlength=len(path_field.asn))[provider] > 1
    _, group = np.unique(provider[several], return_inverse=True)
    return Layer(row[several], group.astype(np.int64), int(group.max(initial=0)) + 1, PROVIDER_HALF)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The model: log odds for every AS and pair of PoPs, what they rest on, and how sure they are."""

    pops: tuple[str, ...]
    asn: NDArray[np.uint32]
    """uint32[as], ascending."""
    odds: NDArray[np.float32]
    """float32[as, pair]: that the first PoP of the pair is taken, uncertainty included."""
    outcome: NDArray[np.int8]
    """int8[as, pair]: what was measured, as in `Evidence`."""
    placed: NDArray[np.bool_]
    """bool[as]: paths, providers or a country tell of the AS."""
    level: Floats
    """float64[pair]: log odds for an AS of which nothing is known."""
    reliability: Floats
    """float64[knot, 2]: chance as modelled -> part that was right when experiments were left out; 0.5 to 1."""
    graph: str = ""
    graph_date: str = ""
    scorecard: Mapping[str, Any] = field(default_factory=dict)

    def with_reliability(self, knots: Floats, scorecard: Mapping[str, Any]) -> "Calibration":
        """Give the model with what leaving out showed."""
        return replace(self, reliability=knots, scorecard=scorecard)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Chances of PoPs for a list of ASes under one announced set."""

    announced: tuple[str, ...]
    asn: NDArray[np.uint32]
    chance: Floats
    """float64[as, pop], rows sum to 1."""
    provenance: NDArray[np.int8]
    """int8[as]: `Provenance`."""

    def shares(self, weight: Floats | None = None) -> Floats:
        """Give the expected part of each PoP, float64[pop]; ASes weigh `weight` float64[as], or alike."""
        return np.asarray(np.average(self.chance, axis=0, weights=weight))


def calibrate(terrain: Terrain, evidence: Evidence) -> Calibration:
    """Give the model of this evidence over the terrain, for all pairs of PoPs."""
    state = fit_state(terrain, evidence)
    pairs = evidence.pairs
    odds = np.zeros(evidence.outcome.shape, np.float32)
    level = np.zeros(len(pairs))
    for pair, (first, second) in enumerate(pairs):
        odds[:, pair] = state.odds(int(first), int(second))
        level[pair] = state.level(pair)
    in_country = np.zeros(len(terrain.asn), np.bool_)
    in_country[terrain.layers[0].row] = True
    identity = np.array([[0.5, 0.5], [1.0, 1.0]])
    return Calibration(
        terrain.pops, terrain.asn, odds, evidence.outcome, terrain.placed | in_country, level, identity,
        terrain.graph, terrain.graph_date,
    )  # fmt: skip


def evidence_over(terrain: Terrain, experiments: Sequence[Experiment]) -> Evidence:
    """Give the evidence of experiments with a row for every AS of the terrain."""
    return gather(experiments, terrain.pops, terrain.asn)


@dataclass(frozen=True, slots=True)
class State:
    """A fitted model, before its log odds are written down pair by pair."""

    terrain: Terrain
    evidence: Evidence
    around: Surroundings
    own: OwnStrengths
    slopes: Floats
    """float64[2 + pop]: of the level."""

    def level(self, pair: int) -> float:
        """Give the log odds of the mean AS in an experiment of this pair: as measured, else by the level's model."""
        outcome = self.evidence.outcome[:, pair]
        known = outcome[outcome != 0]
        if len(known):
            return float(logit(float(np.clip(np.mean(known > 0), LEVEL_MIN, 1 - LEVEL_MIN))))
        return float(_level_columns(self.terrain, [pair])[0] @ self.slopes)

    def odds(self, first: int, second: int) -> Floats:
        """Give the log odds float64[as] that `first` is taken rather than `second`."""
        pair = pair_index(len(self.terrain.pops), first, second)
        groups = self.around.strength[:, first] - self.around.strength[:, second]
        hint, outcome = self.terrain.hint[:, pair], self.evidence.outcome
        mean, variance = self.own.difference(first, second)
        if (outcome[:, pair] != 0).any():
            odds = hint + groups + self.around.offset[pair] + OWN_SCALE * mean
        else:
            share = float(logistic(self.level(pair)))
            counted = (outcome != 0).any(axis=1)
            if not counted.any():
                counted[:] = True
            odds = hint + GROUP_SCALE * groups
            odds = odds + offset_to(odds[counted], share) + OWN_SCALE * mean
            odds = odds + RELEVEL * offset_to(odds[counted], share)
        return np.asarray(odds / np.sqrt(1 + np.pi / 8 * variance))


def fit_state(terrain: Terrain, evidence: Evidence) -> State:
    """Fit surroundings, own strengths and the level's model."""
    around = fit_surroundings(evidence.outcome, terrain.hint, terrain.layers)
    matrix = contrasts(len(terrain.pops))
    own = fit_own(evidence.outcome, terrain.hint + around.offset + around.strength @ matrix.T, len(terrain.pops))
    return State(terrain, evidence, around, own, fit_level(terrain, evidence))


def _level_columns(terrain: Terrain, pairs: Sequence[int]) -> Floats:
    return np.column_stack([terrain.slope[pairs], contrasts(len(terrain.pops))[pairs]])


def fit_level(terrain: Terrain, evidence: Evidence) -> Floats:
    """Give the numbers of the level's model, float64[2 + pop], by robust least squares on log odds of measured shares.

    Weights are renewed each round: of an experiment as by Huber, of a PoP's ridge as by a heavy-tailed prior.
    """
    pairs = np.flatnonzero(evidence.asked).tolist()
    won = (evidence.outcome > 0).sum(axis=0)[pairs]
    odds = logit(np.clip(won / np.maximum(1, evidence.asked[pairs]), LEVEL_MIN, 1 - LEVEL_MIN))
    columns = _level_columns(terrain, pairs)
    prior = np.concatenate([np.array(LEVEL_PRIOR), np.zeros(len(terrain.pops))])
    numbers, weight = prior, np.ones(len(pairs))
    ridge = np.array([LEVEL_RIDGE_SLOPE] * 2 + [LEVEL_RIDGE_START] * len(terrain.pops))
    for _ in range(LEVEL_ROUNDS):
        normal = (columns * weight[:, None]).T @ columns + np.diag(ridge)
        numbers = np.linalg.solve(normal, columns.T @ (weight * odds) + ridge * prior)
        weight = np.minimum(1.0, LEVEL_CLIP / np.maximum(np.abs(odds - columns @ numbers), 1e-9))
        ridge[2:] = LEVEL_RIDGE_POP / (1 + (numbers[2:] / LEVEL_TAIL) ** 2)
    return np.asarray(numbers)


def predict(model: Calibration, announced: Sequence[str], asns: NDArray[np.uint32] | None = None) -> Prediction:
    """Give the chances of the announced PoPs, for all ASes of the model or for those asked.

    Raises `MisuseError` for a PoP that no experiment had.
    """
    names = tuple(sorted(set(announced)))
    for name in names:
        if name not in model.pops:
            raise MisuseError(f"the model has no PoP {name!r}; it has {', '.join(model.pops)}")
    if not names:
        raise MisuseError("no PoP is announced")
    asked = model.asn if asns is None else np.asarray(asns, np.uint32)
    row = np.minimum(np.searchsorted(model.asn, asked), len(model.asn) - 1)
    known = model.asn[row] == asked
    place = [model.pops.index(name) for name in names]
    utility = np.zeros((len(asked), len(names)))
    for a, first in enumerate(place):
        for b, second in enumerate(place):
            if first < second:
                odds = _pair_odds(model, first, second, row, known)
                utility[:, a] += odds / len(names)
                utility[:, b] -= odds / len(names)
    chance = np.exp(utility - utility.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    return Prediction(names, asked, chance, _provenance(model, place, row, known))


def _pair_odds(model: Calibration, first: int, second: int, row: NDArray[np.int64], known: NDArray[np.bool_]) -> Floats:
    """Give log odds float64[asked]: as measured where it was, else as the model has them, made reliable."""
    pair = pair_index(len(model.pops), first, second)
    odds = np.where(known, model.odds[row, pair], model.level[pair]).astype(np.float64)
    chance = np.interp(logistic(np.abs(odds)), model.reliability[:, 0], model.reliability[:, 1])
    modelled = np.sign(odds) * logit(np.clip(chance, 0.5, 1 - 1e-6))
    answer = np.where(known, model.outcome[row, pair], 0)
    return np.asarray(np.where(answer != 0, answer * float(logit(MEASURED_RIGHT)), modelled))


def _provenance(
    model: Calibration, place: Sequence[int], row: NDArray[np.int64], known: NDArray[np.bool_]
) -> NDArray[np.int8]:
    """Tell what each prediction rests on: the weakest of the pairs of its best PoP would be hair-splitting, so all."""
    pops = len(model.pops)
    measured, implied = np.ones(len(row), np.bool_), np.ones(len(row), np.bool_)
    for first in place:
        for second in place:
            if first < second:
                direct = model.outcome[row, pair_index(pops, first, second)] != 0
                measured &= direct
                implied &= direct | (transitive(model.outcome[row], pops, first, second) != 0)
    some = model.placed[row] | (model.outcome[row] != 0).any(axis=1)
    found = np.where(some, Provenance.INFERRED, Provenance.ASSUMED)
    found = np.where(implied, Provenance.TRANSITIVE, found)
    found = np.where(measured, Provenance.MEASURED, found)
    return np.where(known, found, Provenance.ASSUMED).astype(np.int8)


def transitive(outcome: NDArray[np.int8], pops: int, first: int, second: int) -> NDArray[np.int64]:
    """Give int64[as]: PoPs that stand between the two, counted positive where `first` wins through them."""

    def won(one: int, other: int) -> NDArray[np.int8]:
        if one < other:
            return outcome[:, pair_index(pops, one, other)]
        return np.asarray(-outcome[:, pair_index(pops, other, one)])

    total = np.zeros(len(outcome), np.int64)
    for between in range(pops):
        if between not in (first, second):
            total += (won(first, between) > 0) & (won(between, second) > 0)
            total -= (won(first, between) < 0) & (won(between, second) < 0)
    return total
