"""The placement curve: users under 30, 50 and 100 ms, candidate by candidate, against what a month costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf
from pathlib import Path
from typing import Any, Final

from anycastle.io.pictures.canvas import INK, LINE, QUIET, canvas, colour, heading

_STYLES: Final = (("under 30 ms", "D", (0, (2, 1.2))), ("under 50 ms", "o", "-"), ("under 100 ms", "s", (0, (5, 1.5))))

_TONES: Final = (colour(4), colour(0), colour(2))


@dataclass(frozen=True, slots=True)
class Step:
    """One point of the curve."""

    name: str
    cost_per_month: float
    under: tuple[tuple[float, float, float], ...]
    """Share of users under 30, 50 and 100 ms: value, and if all paths were as the worst and the best tenth."""


def draw_placement(
    steps: Sequence[Step], path: Path, *, title: str = "What each further PoP gives", about: str = ""
) -> None:
    """Draw the curve into an .svg or .png file. Where nothing costs anything, steps are counted.

    Raises `MisuseError`, `WorldError` (`canvas`).
    """
    with canvas(8.2, 4.9, path) as figure:
        axes = figure.add_axes((0.085, 0.12, 0.765, 0.68))
        priced = any(step.cost_per_month for step in steps)
        across = [step.cost_per_month if priced else float(at) for at, step in enumerate(steps)]
        for at, style in enumerate(_STYLES):
            _draw_curve(axes, across, steps, at, style)
        highest = max([0.1, *(share for step in steps for each in step.under for share in each)])
        top = min(100.0, 10 * ceil(10 * highest + 0.3))
        axes.set_ylim(0, top)
        axes.set_ylabel("share of users, %", fontsize=8.5)
        axes.set_xlabel("cost in a month beyond today" if priced else "PoPs added", fontsize=8.5)
        axes.yaxis.grid(visible=True, color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.tick_params(length=0, labelsize=8)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        if not priced:
            axes.set_xticks(range(len(steps)))
        _draw_names(axes, across, steps, top)
        _draw_ends(axes, across[-1], steps[-1], top)
        heading(
            figure,
            title,
            (f"{about}; " if about else "") + "whiskers: if all paths were as the worst or the best tenth",
        )


def _draw_curve(
    axes: Any, across: Sequence[float], steps: Sequence[Step], at: int, style: tuple[str, str, Any]
) -> None:
    _, mark, dashes = style
    value, worst, best = ([100 * step.under[at][which] for step in steps] for which in range(3))
    tone = _TONES[at]
    aside = [
        x + 0.012 * (at - 1) * ((across[-1] - across[0]) or 1.0) for x in across
    ]  # whiskers do not hide each other
    axes.vlines(aside, worst, best, color=tone, linewidth=1.1, alpha=0.75, zorder=2)
    axes.plot(aside, value, color=tone, linestyle=dashes, linewidth=1.8, marker=mark, markersize=6.5, zorder=3)


def _draw_ends(axes: Any, x: float, step: Step, top: float) -> None:
    """Name the curves at their ends, lowest first, each clear of the one below."""
    least, clear = -inf, 0.105 * top
    for at, (name, _, _) in sorted(enumerate(_STYLES), key=lambda each: step.under[each[0]][0]):
        value = 100 * step.under[at][0]
        least = max(value, least + clear)
        axes.annotate(f"{name}\n{value:.1f} %", (x, least), xytext=(16, 0), textcoords="offset points", va="center",
                      fontsize=8.5, color=_TONES[at], weight="bold", annotation_clip=False)  # fmt: skip


def _draw_names(axes: Any, across: Sequence[float], steps: Sequence[Step], top: float) -> None:
    """Write what each step adds along the top; names that would run into each other go up by a line."""
    width, end = (max(across) - min(across)) or 1.0, [-1e9, -1e9, -1e9]
    for before, (x, step) in zip(
        [frozenset[str](), *(_words(each) for each in steps)], zip(across, steps, strict=True), strict=False
    ):
        new = " ".join(word for word in step.name.split() if word not in before and word != "+")
        words = ("+ " if step is not steps[0] else "") + new
        long = width * 0.0165 * len(words)
        level = next((level for level, last in enumerate(end) if x - long / 2 > last), 2)
        end[level] = x + long / 2
        axes.axvline(x, color=LINE, linewidth=0.8, zorder=1)
        axes.annotate(words, (x, top), xytext=(0, 4 + 12 * level), textcoords="offset points", ha="center",
                      fontsize=8.5, color=INK if step is not steps[0] else QUIET, annotation_clip=False)  # fmt: skip


def _words(step: Step) -> frozenset[str]:
    return frozenset(step.name.split())
