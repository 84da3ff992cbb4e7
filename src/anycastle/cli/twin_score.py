"""`anycastle twin score`: the scorecard of a model, and how it does on catchments that it never saw."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from anycastle.base.errors import WorldError
from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.twin_calibrate import READ, make_reading, reading_options

METHODS: Final = ("ping", "table", "dns", "traceroute", "collector")
"""Ways of measuring a catchment, the most telling first."""


@click.command()
@click.argument("model_path", metavar="MODEL", type=READ)
@click.option("--against", multiple=True, type=READ, metavar="DIR|FILE", help="Catchments to be predicted.")
@click.option(
    "--method",
    type=click.Choice(METHODS),
    help="Experiments measured so. Unless told: the first of these that there is.",
)
@reading_options
@click.option("--plot", type=click.Path(path_type=Path), help="The reliability diagram: FILE.svg or FILE.png.")
@output_option(Form.TABLE, Form.JSON)
def score(
    model_path: Path,
    against: tuple[Path, ...],
    method: str | None,
    leave_out: tuple[str, ...],
    asn_ranges: Path | None,
    countries: Path | None,
    chaos_pattern: str | None,
    plot: Path | None,
    form: Form,
) -> None:
    """Show the scorecard that is stored with a model, or predict other catchments and compare.

    With --against, experiments of two PoPs are predicted by the stored model. The model must not have seen them: what
    it was taught it knows.

    \b
    Example:
      anycastle twin score model.npz --against later.csv
    """
    from anycastle.io.calibration_file import read_calibration

    model = read_calibration(model_path)
    card: Mapping[str, Any] = model.scorecard
    if against:
        from anycastle.io.catchments.sources import read_sources
        from anycastle.twin.scorecard import against as compare

        seen = read_sources(against, make_reading(leave_out, asn_ranges, countries, chaos_pattern))
        methods = {each.method for each in seen.experiments}
        chosen = method or next(each for each in METHODS if each in methods)
        card = compare(model, [each for each in seen.experiments if each.method == chosen]).plain()
    if not card:
        raise WorldError(f"{model_path} has no scorecard; it was made with --no-score", retryable=False)
    print_card(form, card)
    if plot:
        save_plot(card, plot)


def print_card(form: Form, card: Mapping[str, Any]) -> None:
    """Print a scorecard: a line an experiment, and two for their means."""
    rows = [_cells(each["experiment"], each) for each in card["experiments"]]
    rows.append(_cells(f"mean of {card['all']['experiments']}", card["all"]))
    beyond = card["beyond_trivial"]
    if beyond["experiments"]:
        name = f"mean of {beyond['experiments']}, smaller side > {100 * card['trivial_share']:.0f} %"
        rows.append(_cells(name, beyond))
    columns = ("EXPERIMENT", "ASES", "RIGHT", "BALANCED", "SHARE ERROR", "SURE", "SURE RIGHT", "SAMPLED", "SHARE ERROR")
    print_form(form, dict(card), Table(columns, rows))
    if form is Form.TABLE:
        graph = card["graph"]
        message(f"graph: {graph['name']} of {graph['date'] or 'no date'}; {card['method']}")


def _cells(name: str, line: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        name,
        f"{line['ases']:,}" if "ases" in line else "",
        *(_percent(line.get(key)) for key in ("accuracy", "balanced", "share_error", "coverage")),
        _percent(line.get("confident_accuracy")),
        _percent(line.get("sample_accuracy")),
        _percent(line.get("sample_share_error")),
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def save_plot(card: Mapping[str, Any], path: Path) -> None:
    """Draw the reliability diagram: how sure the model was against how often it was right."""
    if path.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"{path.name!r} ends neither in .svg nor in .png", param_hint="--plot")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    said = [each["said"] for each in card["reliability"]]
    right = [each["right"] for each in card["reliability"]]
    ases = [each["ases"] for each in card["reliability"]]
    figure, (top, bottom) = plt.subplots(2, 1, figsize=(6, 7), height_ratios=(3, 1), sharex=True)
    top.plot([0.5, 1], [0.5, 1], color="grey", linewidth=1, label="as sure as right")
    top.plot(said, right, marker="o", color="#0b6e4f", label="experiments left out")
    top.set(ylabel="part that was right", xlim=(0.5, 1), ylim=(0.4, 1))
    top.legend(loc="upper left")
    graph = card["graph"]
    top.set_title(f"{graph['name']} {graph['date']}".strip(), fontsize=9)
    bottom.bar(said, ases, width=0.03, color="#0b6e4f")
    bottom.set(xlabel="chance of the likelier PoP, as said", ylabel="ASes")
    figure.tight_layout()
    try:
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}", retryable=False) from error
    finally:
        plt.close(figure)
    message(f"diagram in {path}")
