"""MRT archives: our kernels and `anycastle mrt` beside bgpdump, mrtparse and pybgpkit, in the same run.

Elements are routes: each announced, withdrawn or RIB route, and each change of state, as bgpdump prints a line for it.
A ratio is of processor seconds, those of all threads and children, so that a busy machine does not flatter anybody;
wall time stands beside it. Compilation is apart: kernels are compiled before anything is measured.

The archives are real ones, repeated to the size asked for: the folder of real inputs must be there.
"""

import ctypes
import gzip
import os
import platform
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import click

from anycastle.io.feeds.byte_source import ByteSource
from anycastle.io.kernel_cache import load_kernel
from anycastle.kernels.attribute_decoder import AttributeDecoder, PathLocator
from anycastle.kernels.mrt import (
    DECODE_ATTRIBUTES,
    DECODE_PATHS,
    DECODE_ROUTES,
    FILL_SLOTS,
    FORMAT_KEPT,
    FORMAT_ROWS,
    LOCATE_PATHS,
)
from anycastle.kernels.mrt_rows import AT_END
from anycastle.kernels.route_decoder import RouteDecoder

ROOT = Path(__file__).parents[1]
ARCHIVES = Path(os.environ.get("ANYCASTLE_DATA", ROOT.parent / "shared" / "data")) / "mrt"
ANYCASTLE = Path(sys.executable).parent / "anycastle"
UPDATES, RIB = "updates.et-header.2015.gz", "rib.20140523.0600_firstMB.bz2"
KERNELS = (DECODE_ROUTES, LOCATE_PATHS, DECODE_PATHS, DECODE_ATTRIBUTES, FILL_SLOTS, FORMAT_ROWS, FORMAT_KEPT)
REPEATS = 5
"""Runs of each measurement; the fastest counts, for everybody."""

MRTPARSE = """
import sys, mrtparse
n = 0
for entry in mrtparse.Reader(sys.argv[1]):
    data = entry.data
    message = data.get("bgp_message", {})
    n += len(message.get("withdrawn_routes", ())) + len(message.get("nlri", ())) + len(data.get("rib_entries", ()))
    for attribute in message.get("path_attributes", ()):
        if isinstance(attribute["value"], dict):
            n += len(attribute["value"].get("nlri", attribute["value"].get("withdrawn_routes", ())))
    n += "old_state" in data
print(n)
"""
BGPKIT = """
import sys, pybgpkit_parser
print(sum(1 for _ in pybgpkit_parser.Parser(url=sys.argv[1])))
"""
FULL_TABLE = """
import sys
from anycastle.io.feeds.route_batches import RouteReader
reader = RouteReader()
rows = 0
for batch in reader.read(sys.argv[1:]):
    attributes = batch.attributes()
    rows += batch.rows
status = open("/proc/self/status").read()
print(rows, status.split("VmHWM:")[1].split()[0])
"""


@dataclass
class Measured:
    """Elements, and the least processor and wall seconds of the runs; memory of a child in MB."""

    elements: int
    cpu_s: float
    wall_s: float
    memory_mb: float = 0.0

    @property
    def rate(self) -> float:
        """Millions of elements for each processor second."""
        return self.elements / self.cpu_s / 1e6


def inside(work: Callable[[], int], repeats: int = REPEATS) -> Measured:
    """Measure work in this process."""
    elements, cpu, wall = 0, [], []
    for _ in range(repeats):
        cpu_start, wall_start = time.process_time(), time.perf_counter()
        elements = work()
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - wall_start)
    return Measured(elements, min(cpu), min(wall))


def outside(command: list[str], elements: int = 0, repeats: int = REPEATS) -> Measured:
    """Measure whole processes; the elements are what they print, unless they are given, and then their kB of memory.

    What the system says of a child's memory is at least ours, which it was forked from.
    """
    cpu, wall, memory = [], [], 0.0
    for _ in range(repeats):
        with tempfile.TemporaryFile() as out:
            start = time.perf_counter()
            child = subprocess.Popen(
                command, stdout=out if not elements else subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            _, status, usage = os.wait4(child.pid, 0)
            wall.append(time.perf_counter() - start)
            child.returncode = os.waitstatus_to_exitcode(status)
            assert child.returncode == 0, command
            cpu.append(usage.ru_utime + usage.ru_stime)
            out.seek(0)
            told = [int(number) for number in out.read().split()] if not elements else []
            memory = max(memory, *told[1:], 0.0) / 1000
    return Measured(elements or told[0], min(cpu), min(wall), memory)


def repeated(name: str, size: int) -> bytes:
    """Give a real archive's whole records, repeated up to a size."""
    with ByteSource(str(ARCHIVES / name)) as source:
        once = b"".join(source.pieces())
    decoder, memory = RouteDecoder(load_kernel(DECODE_ROUTES)), ctypes.create_string_buffer(once, len(once))
    end, stopped = 0, -1
    while stopped != AT_END:
        stopped = decoder.decode(ctypes.addressof(memory), end, len(once))
        end = decoder.position
    return once[:end] * max(1, -(-size // end))


def full_table(path: Path, prefixes: int) -> None:
    """Write a TABLE_DUMP_V2 of so many prefixes, three peers each, with paths as different as a real table's."""
    peers = b"".join(struct.pack("!BIII", 2, number, 0xC0000201 + number, 64500 + number) for number in range(3))
    index = struct.pack("!IHH", 1, 0, 3) + peers
    with path.open("wb") as file:
        file.write(struct.pack("!IHHI", 1_700_000_000, 13, 1, len(index)) + index)
        for number in range(prefixes):
            entries = []
            for peer in range(3):
                path_number = number // 6 if peer else number // 4  # about 4 prefixes share a path
                asns = (64500 + peer, 1000 + path_number % 800, 100000 + path_number // 3, 200000 + path_number)
                attributes = (
                    b"\x40\x01\x01\x00\x40\x02\x12\x02\x04"
                    + struct.pack("!4I", *asns)
                    + struct.pack("!HBI", 0x4003, 4, 0xC0000201 + peer)
                    + struct.pack("!HBHHHH", 0xC008, 8, 64500, number % 300, 64500, peer)
                )
                entries.append(struct.pack("!HIH", peer, 1_699_000_000, len(attributes)) + attributes)
            network = struct.pack("!I", 0x01000000 + (number << 8))[:3]
            body = struct.pack("!IB", number, 24) + network + struct.pack("!H", 3) + b"".join(entries)
            file.write(struct.pack("!IHHI", 1_700_000_000, 13, 2, len(body)) + body)


def walk(
    stream: ctypes.Array[ctypes.c_char], *, origins: bool = False, paths: bool = False, attributes: bool = False
) -> int:
    """Decode a stream in memory to columns: with origins and places of paths, with paths interned, or with all."""
    decoder = RouteDecoder(load_kernel(DECODE_ROUTES))
    locator = PathLocator(load_kernel(LOCATE_PATHS))
    blocks = AttributeDecoder(load_kernel(DECODE_ATTRIBUTES), load_kernel(DECODE_PATHS), load_kernel(FILL_SLOTS))
    address, size, position, rows, stopped = ctypes.addressof(stream), len(stream), 0, 0, -1
    while stopped != AT_END:
        stopped = decoder.decode(address, position, size)
        position = decoder.position
        rows += decoder.rows
        if origins:
            locator.locate(address, decoder.columns)
        if paths:
            blocks.decode_paths(address, decoder.columns)
        if attributes:
            blocks.decode(address, decoder.columns)
    return rows


def show(what: str, ours: Measured, theirs: Measured | None, bar: str = "") -> None:
    ratio = f"{theirs.cpu_s / theirs.elements * ours.elements / ours.cpu_s:7.1f} x" if theirs else ""
    memory = f"{ours.memory_mb:6.0f} MB" if ours.memory_mb else ""
    seconds = f"{ours.cpu_s:7.3f} s cpu {ours.wall_s:7.3f} s wall"
    print(f"{what:<46}{ours.rate:8.2f} M/s {seconds} {memory:>9}{ratio:>10}  {bar}", flush=True)


def in_memory(stream: bytes, what: str, bgpdump: Measured, bar: str) -> None:
    memory = ctypes.create_string_buffer(stream, len(stream))
    show(f"{what}, from RAM, prefixes, peers, times", inside(lambda: walk(memory)), bgpdump)
    show(f"{what}, from RAM, and origin, path", inside(lambda: walk(memory, origins=True)), bgpdump, bar)
    show(f"{what}, from RAM, and path interned", inside(lambda: walk(memory, paths=True)), bgpdump)
    show(f"{what}, from RAM, with all attributes", inside(lambda: walk(memory, attributes=True)), bgpdump)


def peers(folder: Path, small: Path, bgpdump: Measured) -> None:
    """Measure the Python packages, on a smaller archive: they would take minutes."""
    python = ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        print("no .venv-peers: `make peers` makes it; mrtparse and pybgpkit are left out")
        return
    for name, program in (("mrtparse", MRTPARSE), ("pybgpkit", BGPKIT)):
        script = folder / f"by_{name}.py"
        script.write_text(program)
        show(
            f"  {name}, {small.stat().st_size / 1e6:.0f} MB",
            outside([str(python), str(script), str(small)], 0, 1),
            bgpdump,
        )


class Archives(NamedTuple):
    """What is read: its octets, and the files that hold them."""

    updates: bytes
    rib: bytes
    plain: Path
    packed: Path
    ribs: Path
    small: Path


def write_archives(folder: Path, size_mb: int) -> Archives:
    """Write real archives, repeated to a size; `small` is the updates once, for who reads a thousand times slower."""
    updates, rib = repeated(UPDATES, size_mb * 1_000_000), repeated(RIB, size_mb * 1_000_000)
    made = Archives(updates, rib, *(folder / each for each in ("updates", "updates.gz", "rib", "small")))
    made.plain.write_bytes(updates)
    made.packed.write_bytes(gzip.compress(updates, 6))
    made.ribs.write_bytes(rib)
    made.small.write_bytes(repeated(UPDATES, 0))
    return made


@click.command()
@click.option("--size", default=100, show_default=True, help="MB of each archive.")
@click.option("--prefixes", default=1_000_000, show_default=True, help="Of the full table.")
def main(size: int, prefixes: int) -> None:
    """Read MRT archives beside bgpdump, mrtparse and pybgpkit."""
    if not ARCHIVES.is_dir() or shutil.which("bgpdump") is None:
        sys.exit(f"needs bgpdump, and real archives in {ARCHIVES} (ANYCASTLE_DATA names the folder above)")
    for kernel in KERNELS:
        start = time.perf_counter()
        load_kernel(kernel)
        print(f"{kernel.name}: ready in {time.perf_counter() - start:.3f} s")
    print(f"{platform.machine()}, {processor()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        updates, rib, plain, packed, ribs, small = write_archives(folder, size)
        elements = walk(ctypes.create_string_buffer(updates, len(updates)))
        of_rib = walk(ctypes.create_string_buffer(rib, len(rib)))
        dump = outside(["bgpdump", "-q", "-m", str(plain)], elements, 2)
        dump_packed = outside(["bgpdump", "-q", "-m", str(packed)], elements, 2)
        dump_rib = outside(["bgpdump", "-q", "-m", str(ribs)], of_rib, 2)
        show(f"  bgpdump -m, updates, {len(updates) / 1e6:.0f} MB", dump, None)
        show(f"  bgpdump -m, updates .gz, {packed.stat().st_size / 1e6:.0f} MB", dump_packed, None)
        show(f"  bgpdump -m, TABLE_DUMP_V2, {len(rib) / 1e6:.0f} MB", dump_rib, None)
        peers(folder, small, dump)
        in_memory(updates, "updates", dump, "bar: 80 x and 40 M/s")
        in_memory(rib, "TABLE_DUMP_V2", dump_rib, "bar: 80 x")
        command = [str(ANYCASTLE), "mrt"]
        show(".gz, mrt -o count", outside([*command, "-o", "count", str(packed)], elements), dump_packed, "bar: 15 x")
        show("mrt -o count", outside([*command, "-o", "count", str(plain)], elements), dump)
        show(".gz, mrt -o bgpdump", outside([*command, str(packed)], elements), dump_packed, "bar: 3 x")
        show("mrt -o bgpdump", outside([*command, str(plain)], elements), dump, "bar: 3 x")
        show("TABLE_DUMP_V2, mrt -o bgpdump", outside([*command, str(ribs)], of_rib), dump_rib)
        table = folder / "table"
        full_table(table, prefixes)
        whole = [sys.executable, "-c", FULL_TABLE, str(table)]
        what = f"full table {prefixes:,} x 3, with all attributes"
        show(what, outside(whole), dump_rib, "bar: 4 s, 1000 MB")
        show("  the same by mrt -o count", outside([*command, "-o", "count", str(table)], 3 * prefixes), dump_rib)


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


if __name__ == "__main__":
    main()
