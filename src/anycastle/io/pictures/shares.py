"""Shares before and after a change: two bars a PoP, the interval of what is predicted, and the PoP's limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anycastle.io.pictures.canvas import GROUND, INK, LINE, QUIET, canvas, colour, heading


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One PoP. Shares are 0 to 1."""

    name: str
    before: float
    after: float
    low: float | None = None
    """Of `after`; None where there is no interval."""
    high: float | None = None
    limit: float | None = None
    """What the PoP can serve, as a share of all."""
    state: str = ""
    """Such as `withdrawn`; stands behind the name."""


def draw_shares(
    rows: Sequence[ShareRow], path: Path, *, title: str = "Shares before and after", about: str = "",
    interval: str = "interval",
) -> None:  # fmt: skip
    """Draw the bars into an .svg or .png file. `interval` says what the whiskers are.

    Raises `MisuseError`, `WorldError` (`canvas`).
    """
    height = 1.5 + 0.52 * max(1, len(rows))
    with canvas(8.0, height, path) as figure:
        axes = figure.add_axes((0.19, 0.62 / height, 0.58, (height - 1.45) / height))
        for at, row in enumerate(rows):
            _draw_row(axes, at, row)
        widest = max([0.01, *(max(row.before, row.after, row.high or 0.0, row.limit or 0.0) for row in rows)])
        axes.set_xlim(0, 100 * widest * 1.03)
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_yticks(range(len(rows)), [f"{row.name} ({row.state})" if row.state else row.name for row in rows])
        axes.tick_params(axis="y", length=0, labelsize=9.5, labelcolor=INK)
        axes.tick_params(axis="x", length=0, labelsize=8)
        axes.xaxis.grid(visible=True, color=LINE, linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.set_xlabel("share of users, %", fontsize=8.5)
        _draw_key(figure, rows, interval, height)
        heading(figure, title, about)


def _draw_row(axes: Any, at: int, row: ShareRow) -> None:
    before, after = 100 * row.before, 100 * row.after
    axes.barh(at - 0.19, before, height=0.26, facecolor=GROUND, edgecolor=QUIET, linewidth=0.8, hatch="/////", zorder=2)
    axes.barh(at + 0.13, after, height=0.36, color=colour(0), zorder=2)
    words = f"{before:.1f} → {after:.1f} %"
    if row.low is not None and row.high is not None and row.high > row.low:
        low, high = 100 * row.low, 100 * row.high
        axes.plot([low, high], [at + 0.13] * 2, color=INK, linewidth=1.3, zorder=3)
        for end in (low, high):
            axes.plot([end] * 2, [at + 0.04, at + 0.22], color=INK, linewidth=1.3, zorder=3)
        words += f"  ({low:.1f}-{high:.1f})"
    warning = _warning(row)
    if row.limit is not None:
        axes.plot([100 * row.limit] * 2, [at - 0.34, at + 0.34], color=colour(4), linewidth=2.0, zorder=4)
    across = axes.get_yaxis_transform()
    axes.text(1.02, at - (0.14 if warning else 0), words, transform=across, va="center", fontsize=8.5)
    if warning:
        axes.text(1.02, at + 0.2, warning, transform=across, va="center", fontsize=8, color=colour(4), weight="bold")


def _warning(row: ShareRow) -> str:
    if row.limit is None or max(row.after, row.high or 0.0) <= row.limit:
        return ""
    return "over its limit" if row.after > row.limit else "may go over its limit"


def _draw_key(figure: Any, rows: Sequence[ShareRow], interval: str, height: float) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(facecolor=GROUND, edgecolor=QUIET, hatch="/////", label="before"),
        Patch(facecolor=colour(0), label="after"),
    ]
    if any(row.low is not None for row in rows):
        handles.append(Line2D([], [], color=INK, linewidth=1.3, label=interval))
    if any(row.limit is not None for row in rows):
        handles.append(Line2D([], [], color=colour(4), linewidth=2.0, label="limit"))
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.175, 1 - 0.58 / height), ncols=len(handles),
                  frameon=False, fontsize=8.5)  # fmt: skip
