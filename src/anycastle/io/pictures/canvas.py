"""What all pictures share: colours and shapes that every eye tells apart, type, saving without a date."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from anycastle.base.errors import MisuseError, WorldError

COLOURS: Final = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#8c6d1f", "#6a51a3")
"""Okabe and Ito's palette, less black and the yellow that vanishes on white; two dark tones of our own at the end."""
SHAPES: Final = ("o", "s", "D", "^", "v", "P", "X", "h", "p")
"""One more than colours: PoPs share a pair of both only after 72."""
INK, QUIET, LINE, GROUND, LAND, COAST = "#1f2933", "#616e7c", "#d5dbe1", "#ffffff", "#e9ecef", "#c5ccd3"
NO_ROUTE: Final = "#9aa5b1"
SUFFIXES: Final = (".svg", ".png")
DOTS_PER_INCH: Final = 160

STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.labelcolor": QUIET,
    "axes.edgecolor": LINE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "figure.facecolor": GROUND,
    "svg.hashsalt": "anycastle",
    "svg.fonttype": "path",
}


def colour(at: int) -> str:
    """Give the colour of the PoP at a place in its deployment."""
    return COLOURS[at % len(COLOURS)]


def shape(at: int) -> str:
    """Give its shape."""
    return SHAPES[at % len(SHAPES)]


@contextmanager
def canvas(width: float, height: float, path: Path) -> Iterator[Any]:
    """Give a figure of that many inches, and save it when all went well.

    Raises `MisuseError` for another suffix, `WorldError` where the file cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise MisuseError(f"{path.name!r} ends neither in .svg nor in .png")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    with mpl.rc_context(dict(STYLE)):
        figure = plt.figure(figsize=(width, height), dpi=DOTS_PER_INCH)
        try:
            yield figure
            metadata = {"Date": None, "Creator": "anycastle"} if path.suffix == ".svg" else {"Software": "anycastle"}
            figure.savefig(path, metadata=metadata)
        except OSError as error:
            raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
        finally:
            plt.close(figure)


def heading(figure: Any, title: str, about: str) -> None:
    """Write the title at the top left, and what it stands on below it, smaller."""
    height = figure.get_figheight()
    figure.text(0.18 / figure.get_figwidth(), 1 - 0.16 / height, title, fontsize=12.5, weight="bold", va="top")
    figure.text(0.18 / figure.get_figwidth(), 1 - 0.42 / height, about, fontsize=8.5, color=QUIET, va="top")
