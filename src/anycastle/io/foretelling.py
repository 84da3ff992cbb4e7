"""Who lands where after a change, worked out by a process of its own: what asks is never held up, nor grows by a graph.

Theory of operation. The process is started once, reads graph, weights and calibration, and says what it read. Then it
answers one question after the other over its pipes: a length of four octets, and so many octets. Questions are pickled
fleets of our own; answers are JSON. It ends when its input does, so it outlives nobody, not even one that is killed. A
process that dies is started anew by the next question.

`Foreteller` is what asks. It keeps what was answered by what was asked, lets some questions wait, and refuses more.
"""

import asyncio
import json
import pickle
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.fleet_loader import stamp
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix

WAITING_MAX: Final = 8
"""Questions that wait for an answer at once; a third of a second each on the graph of the Internet."""

KEPT: Final = 64
"""Answers that are kept: 100 kB each for a hundred PoPs."""

LOADING_S: Final = 180.0
"""How long reading a graph may take: kernels that were never compiled here take a minute."""

ANSWER_S: Final = 120.0
"""How long an answer may take, the kernels' first included."""

OCTETS_MAX: Final = 64 << 20
"""Of a question or an answer; those of a thousand PoPs have two million."""

AGAIN_S: Final = 2
"""When to ask again where too many wait."""

_LENGTH: Final = struct.Struct("!I")
_SEED: Final = 1
"""Of the orders in which ties are broken: `twin predict` has the same."""


class Crowded(Exception):
    """So many questions wait that no more is taken."""


@dataclass(frozen=True, slots=True)
class TwinFiles:
    """What predictions rest on."""

    graph: Path
    """AS relationships."""
    weights: Path | None = None
    """Users of ASes; None: all alike."""
    regions: Path | None = None
    asn_ranges: Path | None = None
    calibration: Path | None = None


@dataclass(frozen=True, slots=True)
class TwinQuestion:
    """A fleet that announces one prefix as it does now, and as it would."""

    before: Fleet
    after: Fleet
    service: str
    prefix: Prefix
    load: float | None
    """Of all users together, in the unit of capacities."""
    key: str
    """The same for questions that ask the same, and for no other."""


class Foreteller:
    """Asks the process. `tell` is given what becomes of it, for the log."""

    def __init__(self, files: TwinFiles, tell: Callable[[str], None]) -> None:
        self._files = files
        self._tell = tell
        self._child: Process | None = None
        self._answers: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._loading: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start to read the graph; nobody waits for it."""
        self._loading = asyncio.create_task(self._load())

    async def ask(self, question: TwinQuestion) -> dict[str, Any]:
        """Give the prediction, as `twin predict -o json` does.

        Raises `MisuseError` for what the twin cannot tell, `Crowded`, and `WorldError` where the process fails.
        """
        key = question.key
        if key in self._answers:
            return self._kept(key)
        if self._waiting >= WAITING_MAX:
            raise Crowded
        self._waiting += 1
        try:
            async with self._turn:
                if key in self._answers:  # somebody before us asked the same
                    return self._kept(key)
                answer = await self._asked(await asyncio.to_thread(pickle.dumps, question))
        finally:
            self._waiting -= 1
        self._answers[key] = answer
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        return answer

    async def close(self) -> None:
        """End the process."""
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)
        await self._end()

    def _kept(self, key: str) -> dict[str, Any]:
        self._answers.move_to_end(key)
        return self._answers[key]

    async def _load(self) -> None:
        async with self._turn:
            try:
                await self._started()
            except (MisuseError, WorldError) as error:
                self._tell(f"foretells nothing: {error}")

    async def _asked(self, octets: bytes) -> dict[str, Any]:
        try:
            child = await self._started()
            async with asyncio.timeout(ANSWER_S):
                told = await _exchange(child, octets)
        except TimeoutError as error:
            await self._end()
            raise WorldError(f"the twin gave no answer within {ANSWER_S:g} s") from error
        except (OSError, asyncio.IncompleteReadError) as error:
            await self._end()
            raise WorldError("the twin's process ended before it answered; the controller's log says why") from error
        except asyncio.CancelledError:
            await self._end()  # its answer would be taken for that of the next question
            raise
        if "refused" in told:
            raise MisuseError(told["refused"])
        answer: dict[str, Any] = told["shift"]
        return answer

    async def _started(self) -> Process:
        """Give the process, ready for a question."""
        if self._child is not None and self._child.returncode is None:
            return self._child
        command = (sys.executable, "-P", "-m", "anycastle.io.foretelling")  # -P: no module of this folder's
        # A session of its own: what a terminal sends to end the controller would end an answer that is waited for.
        try:
            child = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
        except OSError as error:
            raise WorldError(f"no process can be started for the twin: {error.strerror}") from error
        self._child = child
        try:
            async with asyncio.timeout(LOADING_S):
                told = await _exchange(child, pickle.dumps(self._files))
        except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
            await self._end()
            raise WorldError("the twin's process did not begin; the controller's log says why") from error
        except asyncio.CancelledError:
            await self._end()
            raise
        if "refused" in told:
            await self._end()
            raise MisuseError(told["refused"])
        if told["stamp"] != stamp().hex():
            await self._end()
            raise WorldError("another version of anycastle was installed meanwhile; restart the controller")
        self._tell(f"foretells by {told['graph']}")
        return child

    async def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            if child.returncode is None:
                child.kill()
            await child.wait()


async def _exchange(child: Process, octets: bytes) -> dict[str, Any]:
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(_LENGTH.pack(len(octets)) + octets)
    await child.stdin.drain()
    (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
    if length > OCTETS_MAX:
        raise OSError(f"an answer of {length} octets")
    told: dict[str, Any] = json.loads(await child.stdout.readexactly(length))
    return told


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer what comes in until there is no more: first the files, then questions."""
    first = _read(source)
    if first is None:
        return
    answers = None
    try:
        answers, about = _answerer(pickle.loads(first))  # noqa: S301  our own parent's
        _write(sink, {"stamp": stamp().hex(), "graph": about})
    except (MisuseError, WorldError) as error:
        _write(sink, {"refused": str(error)})
    while answers is not None and (octets := _read(source)) is not None:
        try:
            _write(sink, {"shift": answers(pickle.loads(octets))})  # noqa: S301
        except MisuseError as error:
            _write(sink, {"refused": str(error)})


def _answerer(files: TwinFiles) -> tuple[Callable[[TwinQuestion], dict[str, Any]], str]:
    """Read the files; give what answers, and what the graph is. Raises `MisuseError`, `WorldError`."""
    import numpy as np

    from anycastle.base.errors import ParseError
    from anycastle.io.as_graph import default_cache_folder, load_graph
    from anycastle.io.as_weights import read_labels, read_weights
    from anycastle.io.calibration_file import read_calibration
    from anycastle.twin.intent import intent_of
    from anycastle.twin.plain_shift import plain
    from anycastle.twin.predict import Asked, predict_shift
    from anycastle.twin.regions import regions_of_nodes
    from anycastle.twin.weights import equal_weights, place_weights

    try:
        graph = load_graph(files.graph, cache=default_cache_folder()).graph
        read = None if files.weights is None else read_weights(files.weights)
        weights = equal_weights(graph) if read is None else place_weights(graph, read.of_asn, read.source)
        labels = {} if files.regions is None else read_labels(files.regions, files.asn_ranges)
        model = None if files.calibration is None else read_calibration(files.calibration)
    except ParseError as error:
        raise MisuseError(str(error)) from error
    region = regions_of_nodes(graph, labels) if labels else None

    def answer(question: TwinQuestion) -> dict[str, Any]:
        before = intent_of(question.before, graph, question.service, question.prefix)
        after = intent_of(question.after, graph, question.service, question.prefix)
        if not before.deployment.groups:
            words = "; ".join(dict.fromkeys(remark.text for remark in before.remarks))
            raise MisuseError(f"no upstream of the service {question.service} is in this graph: {words}"[:1000])
        asked = Asked(weights, question.load, model, region=region)
        return plain(predict_shift(graph, before, after, np.random.default_rng(_SEED), asked))

    date = f" of {graph.origin.date}" if graph.origin.date else ""
    return answer, f"{graph.origin.name}{date}, {len(graph):,} ASes"


def _read(source: BinaryIO) -> bytes | None:
    head = source.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    octets = source.read(length)
    return octets if len(octets) == length else None


def _write(sink: BinaryIO, told: dict[str, Any]) -> None:
    octets = json.dumps(told, allow_nan=False).encode()
    sink.write(_LENGTH.pack(len(octets)) + octets)
    sink.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
