"""The same shares, wherever they are worked out."""

import random
from pathlib import Path

import numpy as np
import pytest

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.as_graph import keep_graph
from anycastle.io.executors import ROWS_OF_A_TASK, open_executor, sweep_rows, sweep_with
from anycastle.model.asn import ASN
from anycastle.twin.deployment import Deployment, deployment_of_origins
from anycastle.twin.graph import ASGraph
from anycastle.twin.sweep import Table, compile_deployment, sweep
from anycastle.twin.synthetic import make_graph


@pytest.fixture(scope="module")
def graph() -> ASGraph:
    return make_graph(300, random.Random(3)).graph


DEPLOYMENT = deployment_of_origins([ASN(120), ASN(250), ASN(399)])
ROWS = 2 * ROWS_OF_A_TASK + 5


def _table() -> Table:
    return np.random.Generator(np.random.PCG64(1)).integers(-1, 3, (ROWS, 3)).astype(np.int16)


@pytest.mark.parametrize("name", ["here", "processes:2"])
def test_here_and_in_processes(name: str, graph: ASGraph, tmp_path: Path) -> None:
    with open_executor(name) as executor:
        parts = list(sweep_with(executor, keep_graph(graph, tmp_path), DEPLOYMENT, _table()))

    assert [len(part) for part in parts] == [ROWS_OF_A_TASK, ROWS_OF_A_TASK, 5]
    assert np.allclose(np.concatenate(parts), sweep(compile_deployment(graph, DEPLOYMENT), _table()))


def test_on_a_dask_cluster(graph: ASGraph, tmp_path: Path) -> None:
    from distributed import LocalCluster

    with (
        LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address=None,
            protocol="tcp",
            local_directory=str(tmp_path),
        ) as cluster,
        open_executor(f"dask://{cluster.scheduler_address.removeprefix('tcp://')}") as executor,
    ):
        parts = list(sweep_with(executor, keep_graph(graph, tmp_path), DEPLOYMENT, _table()))

    assert np.allclose(np.concatenate(parts), sweep(compile_deployment(graph, DEPLOYMENT), _table()))


def test_a_graph_is_kept_once(graph: ASGraph, tmp_path: Path) -> None:
    assert keep_graph(graph, tmp_path / "new") == keep_graph(graph, tmp_path / "new")


@pytest.mark.parametrize("name", ["", "there", "processes:0", "processes:x", "dask:here", "processes:1025"])
def test_no_such_executor(name: str) -> None:
    with (
        pytest.raises(MisuseError, match=r"there are: here, processes, processes:N, dask://HOST:PORT"),
        open_executor(name),
    ):
        pass


def test_a_worker_without_the_graph(tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="must be on a shared folder"):
        sweep_rows(str(tmp_path / "absent.graph"), Deployment(()), np.zeros((1, 0), np.int16), None)
