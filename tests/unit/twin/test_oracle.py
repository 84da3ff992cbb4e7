"""All scenarios that an independent simulator solved on the graph of September 2025: no AS differs in anything."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from anycastle.io.as_graph import load_graph
from anycastle.model.asn import ASN
from anycastle.twin.deployment import deployment_of_origins
from anycastle.twin.routes import propagate

DATA = Path(os.environ.get("ANYCASTLE_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
GRAPH = DATA / "as-graph" / "20250901.as-rel2.txt.bz2"
ORACLE = DATA / "bgpy-oracle"


@pytest.mark.mission("C12")
@pytest.mark.skipif(not ORACLE.exists(), reason=f"no {ORACLE}; set ANYCASTLE_DATA to the folder of real inputs")
def test_every_decision_of_every_scenario() -> None:
    graph = load_graph(GRAPH).graph
    scenarios = json.loads((ORACLE / "scenarios.json").read_text())
    differences = {}
    with np.load(ORACLE / "routes.npz") as expected:
        for number, scenario in enumerate(scenarios):
            deployment = deployment_of_origins(map(ASN, scenario["origins"]))
            prepends = dict(zip(deployment.pops, scenario["prepends"], strict=True))
            found = propagate(graph, deployment, deployment.everywhere(prepends)).by_asn()
            assert (found.asn == expected["asn"]).all()
            differences[number] = sum(
                int(np.count_nonzero(column != expected[f"{name}_{number}"]))
                for name, column in (
                    ("class", found.class_),
                    ("length", found.length),
                    ("next_hop", found.next_hop),
                    ("origin", np.minimum(found.group, 255)),
                )
            )

    assert differences == dict.fromkeys(range(24), 0)
