"""Calibration on the PEERING experiments of 2019: every pair left out once, with the figures that are aimed at."""

import os
import platform
import time
from pathlib import Path

import click
import numpy as np

from anycastle.io.as_graph import load_graph
from anycastle.io.catchments.peering import read_peering
from anycastle.io.catchments.sources import read_rounds
from anycastle.io.ip_ranges import country_of_asns, read_ip_ranges
from anycastle.twin.calibration import Observations, predict
from anycastle.twin.scorecard import score
from anycastle.twin.shift import predict_shifts

DATA = Path(os.environ.get("ANYCASTLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
BARS = (
    ("every AS, all pairs", "all", "accuracy", 0.90, True),
    ("every AS, pairs whose smaller side is > 3 %", "beyond_trivial", "accuracy", 0.84, True),
    ("the confident part is right", "all", "confident_accuracy", 0.95, True),
    ("part of the ASes that is confident", "all", "coverage", 0.66, True),
    ("share error after a sample", "all", "sample_share_error", 0.02, False),
)
"""What is aimed at: name, which mean, which figure, bar, whether more is better."""


@click.command()
@click.option("--sample", default=500, show_default=True, help="ASes of a pair measured before it is predicted again.")
@click.option("--countries/--no-countries", default=True, help="With or without the countries of ASes.")
@click.option("--seed", default=1, show_default=True, help="Of the samples.")
def main(sample: int, countries: bool, seed: int) -> None:
    """Leave each PEERING pair out once, and each Verfploeter configuration; figures against their bars."""
    if not (DATA / "peering2019").is_dir():
        print(f"no PEERING experiments in {DATA}; nothing is run")
        return
    print(f"machine: {platform.processor() or platform.machine()}, {os.cpu_count()} cores, {platform.python_version()}")
    folder = read_peering(DATA / "peering2019", leave_out=("isi01",))
    ranges = read_ip_ranges(DATA / "asn" / "asn-ipv4-num.csv.gz")
    where = country_of_asns(ranges, read_ip_ranges(DATA / "asn" / "asn-country-ipv4-num.csv.gz")) if countries else {}
    observations = Observations(folder.experiments, folder.paths, folder.neighbours, where)
    graph = load_graph(DATA / "as-graph" / "20150201.as-rel.txt.bz2").graph
    start = time.perf_counter()
    model, card = score(observations, graph, np.random.default_rng(seed), sample=sample, progress=print)
    took_s = time.perf_counter() - start
    plain = card.plain()
    for name, mean, figure, bar, more in BARS:
        found = plain[mean][figure]
        if found is not None:
            met = found >= bar if more else found <= bar
            print(f"{name:48} {100 * found:6.1f} %  bar {100 * bar:.0f} %  {'met' if met else 'NOT MET'}")
    print(f"{'all of it, with ' + str(len(card.lines)) + ' pairs left out':48} {took_s:6.1f} s")
    start = time.perf_counter()
    predict(model, model.pops)
    name = f"prediction of all PoPs for {len(model.asn):,} ASes"
    print(f"{name:48} {time.perf_counter() - start:6.2f} s")
    _print_shifts()


def _print_shifts() -> None:
    found = predict_shifts(read_rounds([DATA / "anycast" / "verfploeter"]))
    for kind, chosen in (
        ("prepends", [each for each in found if each.configuration[0].isdigit()]),
        ("communities", [each for each in found if not each.configuration[0].isdigit()]),
    ):
        error = np.mean([each.error_points for each in chosen])
        unmoved = np.mean([each.unmoved_error_points for each in chosen])
        print(
            f"{f'shift of {len(chosen)} {kind}: error of a share':48} {error:6.2f} points; {unmoved:.2f} if none moved"
        )


if __name__ == "__main__":
    main()
