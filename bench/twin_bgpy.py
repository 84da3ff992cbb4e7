"""bgpy, timed by itself: `python twin_bgpy.py GRAPH.txt` in the environment of the peers; prints one JSON object.

What is timed is its propagation alone: not the graph, not the setting up of ASes. Origins come from standard input, one
JSON list of [ASN, prepends] a line; each answer holds the seconds and the ASes that landed at each origin.
"""

import gc
import json
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from bgpy.as_graphs import CAIDAASGraphConstructor
from bgpy.as_graphs.caida_as_graph import CAIDAASGraph
from bgpy.simulation_engine import BGP, Announcement, SimulationEngine


class Plain:
    """As much of a scenario as the engine asks for."""

    def __init__(self, announcements):
        self.announcements = announcements

    def get_policy_cls(self, _as):
        return BGP


def main():
    constructor = CAIDAASGraphConstructor.__new__(CAIDAASGraphConstructor)
    began = time.perf_counter()
    graph = CAIDAASGraph(constructor._get_as_graph_info(Path(sys.argv[1])))
    loaded_s = time.perf_counter() - began
    engine, runs = SimulationEngine(graph), []
    for line in sys.stdin:
        announcements = tuple(
            Announcement(prefix="192.0.2.0/24", as_path=(asn,) * (1 + prepends), seed_asn=asn, next_hop_asn=asn)
            for asn, prepends in json.loads(line)
        )
        scenario = Plain(announcements)
        engine.setup(scenario)
        gc.collect()
        gc.disable()
        began, worked = time.perf_counter(), time.process_time()
        engine.run(propagation_round=0, scenario=scenario)
        took, worked = time.perf_counter() - began, time.process_time() - worked
        gc.enable()
        landed = Counter(
            each.as_path[-1] for as_ in graph if (each := as_.policy.local_rib.get("192.0.2.0/24")) is not None
        )
        runs.append({"wall_s": took, "cpu_s": worked, "landed": landed})
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"loaded_s": loaded_s, "memory_mib": memory, "runs": runs}))


main()
