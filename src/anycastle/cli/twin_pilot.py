"""`anycastle twin pilot`: round trips before and after a change, with honest intervals."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import ParseError
from anycastle.cli.output import Form, Table, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.twin.pilot import Difference, Pilot, Verdict

FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--predicted", type=FILE, help="What `twin place -o json` foretold.")
@click.option(
    "--set", "chosen", metavar="POP[,POP...]", help="The candidates that the pilot added; greedy's last unless told."
)
@click.option("--predicted-ms", type=float, help="The change of the mean that was foretold; below 0 is faster.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the bootstrap's draws.")
@output_option(Form.TABLE, Form.JSON)
def pilot(
    before: Path, after: Path, predicted: Path | None, chosen: str | None, predicted_ms: float | None, seed: int,
    form: Form,
) -> None:  # fmt: skip
    """Compare round trips before and after a pilot, and tell whether it did what was foretold.

    BEFORE and AFTER are CSV files: rtt_ms, asn or region or both, and weight if rows do not count alike. Intervals
    cover 95 %; whole ASes are drawn for them, since users of one AS share its paths. Only ASes of both files count.

    \b
    Example:
      anycastle twin pilot before.csv after.csv --predicted place.json --set sin1
    """
    import numpy as np

    from anycastle.io.placement.measured import read_pilot
    from anycastle.twin.pilot import compare, judge

    if predicted is not None and predicted_ms is not None:
        raise click.UsageError("--predicted and --predicted-ms both say what was foretold; give one")
    foretold = predicted_ms if predicted is None else _foretold(predicted, chosen)
    found = compare(read_pilot(before), read_pilot(after), np.random.default_rng(seed))
    verdict = None if foretold is None else judge(found, foretold)
    print_form(form, _plain(found, verdict), _table(found))
    if form is Form.TABLE:
        _explain(found, verdict)


def _foretold(path: Path, chosen: str | None) -> float:
    """Give the change of the mean that a placement foretold for a set of candidates."""
    from anycastle.io.catchments.text import read_json

    value = read_json(path)
    try:
        options = [*value["greedy"], *value["single"], *([value["exact"]] if value["exact"] else [])]
        wanted = set(chosen.split(",")) if chosen else set(value["greedy"][-1]["added"])
        match = next((each for each in options if set(each["added"]) == wanted), None)
        if match is None:
            sets = sorted({",".join(each["added"]) for each in options})
            raise click.BadParameter(f"{path} has no set {chosen!r}; it has: {' '.join(sets)}", param_hint="--set")
        return -float(match["economics"]["saved_ms"])
    except (KeyError, TypeError, IndexError) as error:
        raise ParseError(f"{path}:1:1: this is no answer of `anycastle twin place -o json` that adds a PoP") from error


def _table(found: "Pilot") -> Table:
    rows = [
        (
            part.name, str(part.clusters), each.figure, f"{each.before_ms:.1f} ms", f"{each.after_ms:.1f} ms",
            f"{each.change_ms:+.1f} ms", f"{each.low_ms:+.1f} to {each.high_ms:+.1f}", _verdict(each),
        )
        for part in found.parts
        for each in part.differences
    ]  # fmt: skip
    rows += [(part.name, str(part.clusters), "", "", "", "", "", "too few to say") for part in found.parts
             if not part.differences]  # fmt: skip
    return Table(("USERS", "ASES", "FIGURE", "BEFORE", "AFTER", "CHANGE", "95 %", ""), rows)


def _verdict(each: "Difference") -> str:
    if not each.proven:
        return "no change proven"
    return "faster" if each.high_ms < 0 else "slower"


def _explain(found: "Pilot", verdict: "Verdict | None") -> None:
    if found.only_before or found.only_after:
        message(f"left out: {found.only_before} measured only before, {found.only_after} only after")
    if verdict is not None:
        message(f"foretold for the mean: {verdict.predicted_ms:+.1f} ms; {verdict.word}")


def _plain(found: "Pilot", verdict: "Verdict | None") -> dict[str, Any]:
    return {
        "parts": [
            {
                "name": part.name,
                "clusters": part.clusters,
                "figures": {
                    each.figure: {
                        "before_ms": round(each.before_ms, 3), "after_ms": round(each.after_ms, 3),
                        "change_ms": round(each.change_ms, 3), "low_ms": round(each.low_ms, 3),
                        "high_ms": round(each.high_ms, 3), "proven": each.proven,
                    }
                    for each in part.differences
                },
            }
            for part in found.parts
        ],
        "only_before": found.only_before,
        "only_after": found.only_after,
        "prediction": None if verdict is None else {"mean_ms": round(verdict.predicted_ms, 3), "verdict": verdict.word},
    }  # fmt: skip
