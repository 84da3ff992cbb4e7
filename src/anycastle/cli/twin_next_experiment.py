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
@click.option("--weights", type=READ, help="CSV of ASN,WEIGHT: traffic or users of each AS. Without: all alike.")
@click.option("--announced", metavar="POP,POP", help="Propose probes for this set in place of announcements.")
@click.option("--probes", type=click.IntRange(min=1), default=20, show_default=True, help="How many ASes to propose.")
@output_option(Form.TABLE, Form.JSON)
def next_experiment(model_path: Path, weights: Path | None, announced: str | None, probes: int, form: Form) -> None:
    """Propose the announcement, or the probes, that would make predictions surest.

    UNSURE is the part of the weight that is expected to be predicted wrong under the set; GAIN is what announcing it
    would settle, over all sets of two PoPs.
    """
    from anycastle.io.calibration_file import read_calibration
    from anycastle.twin.next_experiment import propose, propose_probes

    model = read_calibration(model_path)
    weight = None if weights is None else read_weights(weights, model.asn)
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


def read_weights(path: Path, asns: "NDArray[np.uint32]") -> "NDArray[np.float64]":
    """Give the weight of each AS of a model, from lines ASN,WEIGHT; 0 where the file has none."""
    import numpy as np

    from anycastle.io.catchments.text import read_text
    from anycastle.model.asn import parse_asn

    found: dict[int, float] = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        name, _, weight = line.partition(",")
        if not line.strip() or (number == 1 and not name.strip().lstrip("ASas").isdigit()):
            continue
        try:
            value = float(weight)
            found[int(parse_asn(name))] = found.get(int(parse_asn(name)), 0.0) + value
        except (ValueError, ParseError) as error:
            raise ParseError(f"{path}:{number}: {error}; a line is ASN,WEIGHT") from error
        if not 0 <= value < float("inf"):
            raise ParseError(f"{path}:{number}: a weight is 0 or more, not {weight}")
    weights = np.array([found.get(int(asn), 0.0) for asn in asns])
    if not weights.sum() > 0:
        raise ParseError(f"{path}: no AS of the model has a weight")
    return weights
