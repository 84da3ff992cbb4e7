"""How good a calibration is: each experiment predicted from all others, and compared with what was measured.

Theory of operation. To leave an experiment out, every pair of its PoPs is unknown, whichever method or experiment
told of it: ping, traceroutes and collectors of the same announcement are the same catchment. Collector paths of each
PoP alone stay: they are known before the pair is announced. How sure a prediction is gets mapped to how often such
predictions were right by isotonic regression over the *other* experiments, so that no experiment grades itself.

Accuracy, share error and coverage are means over experiments, each counted alike.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError
from anycastle.model.catchment import Experiment
from anycastle.twin.calibration import (
    Calibration,
    Observations,
    Terrain,
    calibrate,
    evidence_over,
    fit_state,
    predict,
    survey,
)
from anycastle.twin.evidence import Evidence, pair_index
from anycastle.twin.graph import ASGraph
from anycastle.twin.sampling import share_after_sample
from anycastle.twin.strengths import Floats, logistic

TRIVIAL_SHARE: Final = 0.03
"""An experiment whose smaller side is no larger tells little: nearly any guess is right."""
CONFIDENT_PART: Final = 0.7
"""The confident part are the ASes as sure as the surest 70 % of the other experiments: those were right in 95 %."""
BINS: Final = 10
"""Bins of the reliability diagram over chances from 0.5 to 1."""
SURE: Final = 0.9
"""The chance, made reliable, from which a stored model without a scorecard counts an AS as confident."""
SAMPLE: Final = 500
KNOTS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Outcome:
    """One experiment left out: what was said of each AS, and what was measured."""

    announced: tuple[str, ...]
    asn: NDArray[np.uint32]
    chance: Floats
    """float64[as]: of the first PoP of the pair."""
    first: NDArray[np.bool_]
    """bool[as]: the first PoP was measured."""
    after_sample: Floats | None = None
    """float64[as]: the same chance after a sample of the pair was measured; nan for the sample itself."""
    share_after_sample: float = float("nan")

    @property
    def right(self) -> NDArray[np.bool_]:
        """Tell where the likelier PoP was the right one, bool[as]."""
        return np.asarray((self.chance >= 0.5) == self.first)

    @property
    def sureness(self) -> Floats:
        """Give the chance of the likelier PoP, float64[as]."""
        return np.asarray(np.maximum(self.chance, 1 - self.chance))


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one experiment."""

    experiment: str
    ases: int
    smaller_side: float
    share: float
    predicted_share: float
    accuracy: float
    balanced: float
    coverage: float
    confident_accuracy: float
    sample_accuracy: float
    sample_share_error: float

    @property
    def share_error(self) -> float:
        """Give how far the share was off, 0 to 1."""
        return abs(self.share - self.predicted_share)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All figures, and the diagram of reliability."""

    lines: tuple[Line, ...]
    diagram: Floats
    """float64[bin, 3]: mean chance as said, part that was right, ASes."""
    graph: str
    graph_date: str
    method: str = "each experiment predicted from all others"
    sure_from: float = SURE
    """The chance, made reliable, from which an AS belongs to the confident part."""

    def plain(self) -> dict[str, Any]:
        """Give the card as plain values, for JSON."""
        return {
            "graph": {"name": self.graph, "date": self.graph_date},
            "method": self.method,
            "all": _summary(self.lines),
            "beyond_trivial": _summary([line for line in self.lines if line.smaller_side > TRIVIAL_SHARE]),
            "trivial_share": TRIVIAL_SHARE,
            "sure_from": _number(self.sure_from),
            "experiments": [_plain_line(line) for line in self.lines],
            "reliability": [
                {"said": round(float(said), 4), "right": round(float(right), 4), "ases": int(ases)}
                for said, right, ases in self.diagram
            ],
        }


def _plain_line(line: Line) -> dict[str, Any]:
    names = [name for name in Line.__slots__ if name != "experiment"]
    values = {name: getattr(line, name) for name in [*names, "share_error"]}
    return {
        "experiment": line.experiment,
        **{name: _number(value) for name, value in values.items()},
    }


def _number(value: float) -> float | int | None:
    return value if isinstance(value, int) else None if np.isnan(value) else round(float(value), 4)


def _summary(lines: Sequence[Line]) -> dict[str, Any]:
    names = ("accuracy", "balanced", "share_error", "sample_accuracy", "sample_share_error")
    means = {name: _mean([getattr(line, name) for line in lines]) for name in names}
    confident = sum(line.coverage for line in lines)
    right = sum(line.coverage * line.confident_accuracy for line in lines if line.coverage)
    return {
        "experiments": len(lines),
        **{name: _number(value) for name, value in means.items()},
        "coverage": _number(confident / len(lines) if lines else float("nan")),
        "confident_accuracy": _number(right / confident if confident else float("nan")),
    }


def _mean(values: Iterable[float]) -> float:
    known = [value for value in values if not np.isnan(value)]
    return float(np.mean(known)) if known else float("nan")


def leave_out(
    terrain: Terrain,
    evidence: Evidence,
    experiment: Experiment,
    randomness: np.random.Generator,
    sample: int = SAMPLE,
) -> Outcome:
    """Predict one experiment of two PoPs from the others; and once more after `sample` of its ASes were measured."""
    names = experiment.announced
    first, second = (terrain.pops.index(name) for name in names)
    row = np.searchsorted(terrain.asn, experiment.asn)
    without = evidence.without(names)
    odds = fit_state(terrain, without).odds(first, second)[row]
    is_first = experiment.pop == 0
    left_out = Outcome(names, experiment.asn, logistic(odds), is_first)
    if not sample:
        return left_out
    chosen = randomness.permutation(len(row))[: min(sample, len(row) // 2)]
    share = share_after_sample(odds, chosen, is_first[chosen])
    outcome = without.outcome.copy()
    outcome[row[chosen], pair_index(len(terrain.pops), first, second)] = np.where(is_first[chosen], 1, -1)
    chance = logistic(fit_state(terrain, replace(without, outcome=outcome)).odds(first, second))[row]
    chance[chosen] = np.nan
    return replace(left_out, after_sample=chance, share_after_sample=share)


def reliability_knots(outcomes: Sequence[Outcome]) -> Floats:
    """Give the map from the chance as modelled to the part that was right, float64[knot, 2], by isotonic regression."""
    from sklearn.isotonic import IsotonicRegression  # type: ignore[import-untyped]

    said = np.concatenate([each.sureness for each in outcomes])
    right = np.concatenate([each.right for each in outcomes]).astype(np.float64)
    weight = np.concatenate([np.full(len(each.right), 1 / max(1, len(each.right))) for each in outcomes])
    fitted = IsotonicRegression(y_min=0.5, y_max=1.0, out_of_bounds="clip").fit(said, right, sample_weight=weight)
    knots = np.column_stack([fitted.X_thresholds_, fitted.y_thresholds_])
    keep = np.unique(np.linspace(0, len(knots) - 1, min(KNOTS_MAX, len(knots))).round().astype(int))
    return np.asarray(knots[keep])


def confident_from(outcomes: Sequence[Outcome], part: float = CONFIDENT_PART) -> float:
    """Give the chance as modelled that this part of the ASes has at least, each experiment counted alike."""
    said = np.concatenate([each.sureness for each in outcomes])
    weight = np.concatenate([np.full(len(each.right), 1 / max(1, len(each.right))) for each in outcomes])
    order = np.argsort(-said, kind="stable")
    at = int(np.searchsorted(np.cumsum(weight[order]), part * len(outcomes)))
    return float(said[order][min(at, len(said) - 1)])


def grade(outcomes: Sequence[Outcome], graph: str = "", graph_date: str = "") -> Scorecard:
    """Give the card of experiments left out; each is graded with the sureness that the others earned."""
    lines, said, right = [], [], []
    for each in outcomes:
        others = [other for other in outcomes if other is not each] or list(outcomes)
        knots = reliability_knots(others)
        lines.append(_line(each, confident_from(others)))
        said.append(np.interp(each.sureness, knots[:, 0], knots[:, 1]))
        right.append(each.right)
    knots, threshold = reliability_knots(outcomes), confident_from(outcomes)
    sure_from = float(np.interp(threshold, knots[:, 0], knots[:, 1]))
    return Scorecard(tuple(lines), _diagram(said, right), graph, graph_date, sure_from=sure_from)


def _line(each: Outcome, threshold: float) -> Line:
    right, share = each.right, float(each.first.mean())
    sides = [float(right[side].mean()) for side in (each.first, ~each.first) if side.any()]
    sure = each.sureness >= threshold
    sample_accuracy = sample_error = float("nan")
    if each.after_sample is not None:
        rest = ~np.isnan(each.after_sample)
        sample_accuracy = float(((each.after_sample[rest] >= 0.5) == each.first[rest]).mean())
        sample_error = abs(each.share_after_sample - share)
    return Line(
        "+".join(each.announced),
        len(right),
        min(share, 1 - share),
        share,
        float(each.chance.mean()),
        float(right.mean()),
        float(np.mean(sides)),
        float(sure.mean()),
        float(right[sure].mean()) if sure.any() else float("nan"),
        sample_accuracy,
        sample_error,
    )


def _diagram(said: Sequence[Floats], right: Sequence[NDArray[np.bool_]]) -> Floats:
    """Give the bins of the diagram; each experiment counts alike within them by its part of ASes."""
    chance, correct = np.concatenate(said), np.concatenate(right)
    weight = np.concatenate([np.full(len(each), 1 / max(1, len(each))) for each in right])
    place = np.minimum(((chance - 0.5) * 2 * BINS).astype(int), BINS - 1)
    rows = [
        (np.average(chance[at], weights=weight[at]), np.average(correct[at], weights=weight[at]), at.sum())
        for at in (place == each for each in range(BINS))
        if at.any()
    ]
    return np.array(rows, np.float64).reshape(-1, 3)


def score(
    observations: Observations,
    graph: ASGraph,
    randomness: np.random.Generator,
    *,
    method: str = "ping",
    sample: int = SAMPLE,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Calibration, Scorecard]:
    """Give the model of all experiments, and its card by leaving out each experiment of `method` with two PoPs.

    Raises `MisuseError` where there are fewer than three such experiments.
    """
    terrain = survey(observations, graph)
    evidence = evidence_over(terrain, observations.experiments)
    graded = [
        each
        for each in observations.experiments
        if each.method == method and not each.configuration and len(each.announced) == 2 and len(each)
    ]
    if len(graded) < 3:
        raise MisuseError(f"{len(graded)} experiments of two PoPs by {method}: leaving one out needs three or more")
    outcomes = []
    for each in graded:
        outcomes.append(leave_out(terrain, evidence, each, randomness, sample))
        progress(f"{each.name}: {100 * float(outcomes[-1].right.mean()):.1f} % right")
    card = grade(outcomes, terrain.graph, terrain.graph_date)
    model = calibrate(terrain, evidence)
    return model.with_reliability(reliability_knots(outcomes), card.plain()), card


def against(model: Calibration, experiments: Sequence[Experiment]) -> Scorecard:
    """Give the figures of a stored model on experiments of two PoPs that it never saw.

    The confident part is that of the model's own scorecard. Raises `MisuseError` where none is of two
    PoPs that the model has.
    """
    outcomes = [
        Outcome(each.announced, each.asn, predict(model, each.announced, each.asn).chance[:, 0], each.pop == 0)
        for each in experiments
        if len(each) and len(each.announced) == 2 and not each.configuration and set(each.announced) <= set(model.pops)
    ]
    if not outcomes:
        raise MisuseError(f"no experiment of two PoPs of this model; it has {', '.join(model.pops)}")
    diagram = _diagram([each.sureness for each in outcomes], [each.right for each in outcomes])
    sure_from = float(model.scorecard.get("sure_from") or SURE)
    lines = tuple(_line(each, sure_from) for each in outcomes)
    method = "predicted by a stored model"
    return Scorecard(lines, diagram, model.graph, model.graph_date, method, sure_from)
