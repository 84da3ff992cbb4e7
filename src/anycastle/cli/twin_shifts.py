"""`anycastle twin shifts`: predict what each prepend or community moves from the other rounds, and compare."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.cli.output import Form, Table, message, output_option, print_form
from anycastle.cli.twin_calibrate import READ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from anycastle.twin.shift import Shift


@click.command()
@click.argument("sources", nargs=-1, required=True, type=READ)
@output_option(Form.TABLE, Form.JSON)
def shifts(sources: tuple[Path, ...], form: Form) -> None:
    """Predict each configuration of Verfploeter rounds from the others.

    SOURCES are rounds, CONFIGURATION__SITE+SITE__DATE.csv, or folders of them. ERROR is the mean error of a site's
    share in points; UNMOVED the same for the prediction that nothing moves.

    \b
    Example:
      anycastle twin shifts rounds/
    """
    from anycastle.io.catchments.sources import read_rounds
    from anycastle.twin.shift import predict_shifts

    found = predict_shifts(read_rounds(sources))
    rows = [
        (
            each.configuration, *(_shares(shares) for shares in (each.before, each.predicted, each.measured)),
            f"{each.error_points:.2f}", f"{each.unmoved_error_points:.2f}", f"{100 * each.right:.1f} %",
        )
        for each in found
    ]  # fmt: skip
    columns = ("CONFIGURATION", "BEFORE", "PREDICTED", "MEASURED", "ERROR", "UNMOVED", "/24S RIGHT")
    print_form(form, [_plain(each) for each in found], Table(columns, rows))
    if form is Form.TABLE and found:
        for announced in sorted({each.announced for each in found}):
            message(f"shares in percent of {', '.join(announced)}")
        mean = sum(each.error_points for each in found) / len(found)
        unmoved = sum(each.unmoved_error_points for each in found) / len(found)
        message(f"mean error {mean:.2f} points; {unmoved:.2f} if nothing moved")


def _shares(shares: "NDArray[np.float64]") -> str:
    return " ".join(f"{100 * share:.1f}" for share in shares)


def _plain(each: "Shift") -> dict[str, object]:
    def by_site(shares: "NDArray[np.float64]") -> dict[str, float]:
        return {site: round(float(share), 5) for site, share in zip(each.announced, shares, strict=True)}

    return {
        "configuration": each.configuration,
        "before": by_site(each.before),
        "predicted": by_site(each.predicted),
        "measured": by_site(each.measured),
        "error_points": round(each.error_points, 3),
        "unmoved_error_points": round(each.unmoved_error_points, 3),
        "right": round(each.right, 5),
        "alike": list(each.alike),
    }
