"""Where long work is done: here, in a pool of processes, or on a Dask cluster; always by `concurrent.futures`.

Workers are sent a deployment and rows of a table, and the name of a graph's cache entry, which they map into memory
themselves: processes of one machine share its pages, and nothing large is ever sent. On a cluster, the cache has to be
on a folder that all its machines have.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.as_graph import map_graph
from anycastle.twin.deployment import Deployment
from anycastle.twin.sweep import Compiled, Table, compile_deployment, sweep

ROWS_OF_A_TASK: Final = 64 * 16
"""Configurations that a worker is given at once: some 50 ms of work."""
PROCESSES_MAX: Final = 1024
_COMPILED_KEPT: Final = 4
"""Deployments that a worker keeps compiled."""


class _Here(Executor):
    """Does the work when it is asked for, in this process."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it; an error is raised where the result is asked for."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - given to whoever asks for the result, as any executor does
            future.set_exception(error)
        return future


@contextmanager
def open_executor(name: str) -> Iterator[Executor]:
    """Give the executor that `name` asks for: `here`, `processes[:N]` or `dask://HOST:PORT`.

    Raises `MisuseError` for another name, `WorldError` where the cluster does not answer.
    """
    kind, _, rest = name.partition(":")
    if name == "here":
        yield _Here()
    elif kind == "processes" and (not rest or (rest.isdigit() and 0 < int(rest) <= PROCESSES_MAX)):
        workers = int(rest) if rest else len(os.sched_getaffinity(0))
        # a forked copy of a process with threads may hang; a fresh one maps the graph in milliseconds
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            yield pool
    elif kind == "dask" and rest.startswith("//"):
        with _cluster(rest[2:]) as client:
            yield client
    else:
        raise MisuseError(f"no executor {name!r}; there are: here, processes, processes:N, dask://HOST:PORT")


@contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    import distributed

    connect: Any = distributed.Client  # its types are not whole
    try:
        client = connect(f"tcp://{address}", timeout="10s", set_as_default=False)
    except (OSError, TimeoutError) as error:
        raise WorldError(f"no Dask cluster answers at {address}: {error}") from error
    try:
        yield client.get_executor(pure=False)
    finally:
        client.close()


def sweep_with(
    executor: Executor, graph_at: Path, deployment: Deployment, table: Table, weights: NDArray[np.float64] | None = None
) -> Iterator[NDArray[np.float64]]:
    """Sweep the table's rows; give each task's shares (float64[configuration, pop]) in the order of the rows."""
    tasks: Sequence[Future[NDArray[np.float64]]] = [
        executor.submit(sweep_rows, str(graph_at), deployment, rows, weights) for rows in _parts(table)
    ]
    for task in tasks:
        yield task.result()


def _parts(table: Table) -> Iterable[Table]:
    for start in range(0, len(table), ROWS_OF_A_TASK):
        yield table[start : start + ROWS_OF_A_TASK]


def sweep_rows(
    graph_at: str, deployment: Deployment, rows: Table, weights: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """Sweep some rows: what a worker runs. Graph and deployment are kept for the next rows."""
    return sweep(_compiled(graph_at, deployment), rows, weights)


@lru_cache(maxsize=_COMPILED_KEPT)
def _compiled(graph_at: str, deployment: Deployment) -> Compiled:
    graph = map_graph(Path(graph_at))
    if graph is None:
        raise WorldError(f"{graph_at} cannot be read by this worker; the graph's cache must be on a shared folder")
    return compile_deployment(graph, deployment)
