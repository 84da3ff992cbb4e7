"""An incident over time: what each region's probes lost above, what happened below, on one axis of seconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from anycastle.io.pictures.canvas import COLOURS, INK, LINE, QUIET, canvas, colour, heading

REGIONS_MAX: Final = 6
"""Regions that are drawn, the most hurt ones."""

LANES: Final = ("finding", "bgp", "check", "automation", "change", "runbook", "alert", "notified")
"""Kinds of lines that are drawn, from the top."""


@dataclass(frozen=True, slots=True)
class Loss:
    """A region's share of probes without an answer: (seconds from the begin, 0 to 1 or None)."""

    region: str
    parts: Sequence[tuple[float, float | None]]


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment that is drawn through all lanes."""

    at_s: float
    word: str


def draw_incident(
    losses: Sequence[Loss], ticks: Sequence[tuple[float, str]], marks: Sequence[Mark], span_s: tuple[float, float],
    path: Path, *, title: str, about: str,
) -> None:  # fmt: skip
    """Draw into an .svg or .png file. `ticks`: seconds and lane. Raises `MisuseError`, `WorldError` (`canvas`)."""
    shown = losses[:REGIONS_MAX]
    lanes = [lane for lane in LANES if any(kind == lane for _, kind in ticks)]
    rows = max(1, len(shown))
    height = 1.55 + 0.62 * rows + 0.26 * max(1, len(lanes))
    with canvas(10.0, height, path) as figure:
        grid = figure.add_gridspec(
            rows + 1, 1, left=0.17, right=0.97, top=1 - 1.0 / height, bottom=0.5 / height, hspace=0.28,
            height_ratios=[0.62] * rows + [0.26 * max(1, len(lanes))],
        )  # fmt: skip
        axes = [figure.add_subplot(grid[at]) for at in range(rows + 1)]
        for at, loss in enumerate(shown):
            _draw_loss(axes[at], loss, colour(at))
        if not shown:
            axes[0].text(0.5, 0.5, "no probes were given", transform=axes[0].transAxes, ha="center", color=QUIET)
            axes[0].set_yticks([])
        _draw_lanes(axes[-1], ticks, lanes)
        for each in axes:
            each.set_xlim(*span_s)
            for mark in (one for one in marks if span_s[0] <= one.at_s <= span_s[1]):
                each.axvline(mark.at_s, color=QUIET, linewidth=0.8, linestyle=(0, (3, 2)), zorder=1)
        for each in axes[:-1]:
            each.tick_params(axis="x", length=0, labelbottom=False)
        _draw_words(axes[0], marks, span_s)
        axes[-1].set_xlabel("seconds from the first sign", fontsize=8.5)
        heading(figure, title, about)


def _draw_loss(axes: Any, loss: Loss, tone: str) -> None:
    times = [at for at, share in loss.parts if share is not None]
    shares = [100 * share for _, share in loss.parts if share is not None]
    axes.fill_between(times, shares, step="post", color=tone, alpha=0.25, linewidth=0, zorder=2)
    axes.step(times, shares, where="post", color=tone, linewidth=1.4, zorder=3)
    axes.set_ylim(-3, 109)
    axes.set_yticks([0, 100], ["0", "100 %"], fontsize=7.5)
    axes.yaxis.grid(visible=True, color=LINE, linewidth=0.6)
    axes.set_ylabel(loss.region or "not known", rotation=0, ha="right", va="center", labelpad=8, color=INK, fontsize=9)


def _draw_lanes(axes: Any, ticks: Sequence[tuple[float, str]], lanes: Sequence[str]) -> None:
    for row, lane in enumerate(lanes):
        tone = COLOURS[(row + 3) % len(COLOURS)]
        times = [at for at, kind in ticks if kind == lane]
        axes.scatter(times, [row] * len(times), marker="|", s=90, linewidths=1.8, color=tone, zorder=3)
    axes.set_yticks(range(len(lanes)), lanes, fontsize=8.5)
    axes.set_ylim(len(lanes) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.tick_params(axis="x", length=2, labelsize=8)
    axes.yaxis.grid(visible=True, color=LINE, linewidth=0.6)


def _joined(marks: Sequence[Mark], span_s: tuple[float, float]) -> list[Mark]:
    """Give the marks that are shown, those that would stand in one place as one."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda each: each.at_s):
        if not span_s[0] <= mark.at_s <= span_s[1]:
            continue
        if found and mark.at_s - found[-1].at_s < 0.01 * (span_s[1] - span_s[0]):
            found[-1] = Mark(found[-1].at_s, f"{found[-1].word}, {mark.word}")
        else:
            found.append(mark)
    return found


def _draw_words(axes: Any, marks: Sequence[Mark], span_s: tuple[float, float]) -> None:
    """Write what marks are above the first axes; words that would stand on each other are put on two rows."""
    width = span_s[1] - span_s[0]
    last = [-width, -width]
    for mark in _joined(marks, span_s):
        row = 0 if mark.at_s - last[0] > 0.09 * width else 1
        if row and mark.at_s - last[1] <= 0.09 * width:
            continue
        last[row] = mark.at_s
        place = "right" if mark.at_s > span_s[0] + 0.93 * width else "left"
        axes.annotate(
            mark.word, (mark.at_s, 1.0), xycoords=("data", "axes fraction"), xytext=(2, 2 + 10 * row),
            textcoords="offset points", fontsize=7.5, color=QUIET, ha=place, annotation_clip=False,
        )  # fmt: skip
