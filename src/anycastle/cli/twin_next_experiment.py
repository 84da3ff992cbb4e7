"""`anycastle twin next-experiment`: what to announce or whom to probe next."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, Table, output_option, print_form
from anycastle.cli.twin_calibrate import READ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@click.command("next-experiment")
@click.argument("model_path", metavar="MODEL", type=READ)
@click.option("--weights", type=READ, help="CSV with asn and users, or ranges FIRST,LAST,ASN. Without: all alike.")
@click.option("--announced", metavar="POP,POP", help="Propose probes for this set in place of announcements.")
@click.option("--probes", type=click.IntRange(min=1), default=20, show_default=True, help="How many ASes to propose.")
@output_option(Form.TABLE, Form.JSON)
def next_experiment(model_path: Path, weights: Path | None, announced: str | None, probes: int, form: Form) -> None:
    """Propose the announcement, or the probes, that would make predictions surest.

    UNSURE is the part of the weight that is expected to be predicted wrong under the set; GAIN is what announcing it
    would settle, over all sets of two PoPs.

    \b
    Example:
      anycastle twin next-experiment model.npz --weights users.csv
    """
    from anycastle.io.calibration_file import read_calibration
    from anycastle.twin.next_experiment import propose, propose_probes

    model = read_calibration(model_path)
    weight = None if weights is None else weights_of(weights, model.asn)
    if announced is None:
        found = propose(model, weight)
        plain = [
            {"announced": list(p.announced), "unsure": round(p.uncertainty, 5), "gain": round(p.gain, 5),
             "known": round(p.known, 5)}
            for p in found
        ]  # fmt: skip
        rows = [
            ("+".join(p.announced), f"{100 * p.uncertainty:.1f} %", f"{100 * p.gain:.1f}", f"{100 * p.known:.1f} %")
            for p in found
        ]
        print_form(form, plain, Table(("ANNOUNCE", "UNSURE", "GAIN", "KNOWN"), rows))
        return
    asked = propose_probes(model, announced.replace(",", " ").split(), probes, weight)
    print_form(
        form,
        [{"asn": p.asn, "weight": round(p.weight, 8), "unsure": round(p.uncertainty, 4)} for p in asked],
        Table(
            ("PROBE", "WEIGHT", "UNSURE"),
            [(f"AS{p.asn}", f"{p.weight:.2e}", f"{100 * p.uncertainty:.1f} %") for p in asked],
        ),
    )


def weights_of(path: Path, asns: "NDArray[np.uint32]") -> "NDArray[np.float64]":
    """Give the weight of each AS of a model; 0 where the file has none."""
    import numpy as np

    from anycastle.io.as_weights import read_weights

    found = read_weights(path).of_asn
    weights = np.array([found.get(asn, 0.0) for asn in asns.tolist()])
    if not weights.sum() > 0:
        raise ParseError(f"{path}: no AS of the model has a weight")
    return weights
