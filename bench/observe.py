"""The table of speeds of observing, in one run: each row with its bar, our figure, the peer's, and their ratio.

Archives beside bgpdump, mrtparse and pybgpkit; the stream beside msgspec, which decodes the same JSON and does nothing
else with it. BGPalerter is left out: npm's registry has no package of it. A ratio is of processor seconds, as in
`bench mrt`, whose measurements these are; more of them are there and in `bench watch`.
"""

import bz2
import ctypes
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click

from anycastle.io.kernel_cache import load_kernel
from bench import mrt, watch
from bench.mrt import ANYCASTLE, ARCHIVES, Measured, inside, outside, walk

IN_MEMORY_REPEATS = 15
"""Runs of what takes a tenth of a second: neighbours on the same processor take half of its speed now and then."""
MEMORY_BAR_MB, TABLE_BAR_S = 1000, 4.0
EXPORT_BAR_MB, EXPORT_BAR_S = 100, 2.0
EXPORT = """
import sys
from anycastle.io.rpki.export import read_export
vrps = read_export(sys.argv[1]).vrps
print(len(vrps), vrps.octets // 1000)
"""


@dataclass
class Row:
    """One line of the table. `holds` is None for a row without a bar."""

    work: str
    ours: str
    peer: str = ""
    ratio: str = ""
    bar: str = ""
    holds: bool | None = None


def against(work: str, ours: Measured, peer: Measured, name: str, times: float | None = None, rate: float = 0.0) -> Row:
    """Compare rates; the bar is a multiple of the peer's, and millions of elements a second where one is named."""
    ratio = ours.rate / peer.rate
    bar = "" if times is None else f">= {times:g} x" + (f", {rate:g} M/s" if rate else "")
    holds = None if times is None else ratio >= times and ours.rate >= rate
    return Row(work, f"{ours.rate:.2f} M/s", f"{name} {peer.rate:.3f} M/s", f"{ratio:.1f} x", bar, holds)


def archive_rows(size: int, prefixes: int) -> Iterator[Row]:
    """Measure archives."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        updates, rib, plain, packed, ribs, small = mrt.write_archives(folder, size)
        memory, rib_memory = (ctypes.create_string_buffer(each, len(each)) for each in (updates, rib))
        elements, of_rib = walk(memory), walk(rib_memory)
        dump, dump_packed = (outside(["bgpdump", "-q", "-m", str(each)], elements, 3) for each in (plain, packed))
        dump_rib = outside(["bgpdump", "-q", "-m", str(ribs)], of_rib, 3)
        yield from _in_memory("updates", memory, dump, 40.0)
        yield from _python_peers(folder, small, memory)
        command = [str(ANYCASTLE), "mrt"]
        count = outside([*command, "-o", "count", str(packed)], elements)
        yield against(f"mrt -o count, .gz of {size} MB, whole process", count, dump_packed, "bgpdump", 15)
        yield against("mrt -o bgpdump, plain", outside([*command, str(plain)], elements), dump, "bgpdump", 3)
        yield against("mrt -o bgpdump, .gz", outside([*command, str(packed)], elements), dump_packed, "bgpdump", 3)
        yield from _in_memory("TABLE_DUMP_V2", rib_memory, dump_rib, 0.0)
        yield _full_table(folder, prefixes)


def _in_memory(what: str, memory: "ctypes.Array[ctypes.c_char]", dump: Measured, rate: float) -> Iterator[Row]:
    steps: tuple[tuple[str, Callable[[], int], float | None], ...] = (
        ("times, peers, prefixes", lambda: walk(memory), None),
        ("and origin, path's place", lambda: walk(memory, origins=True), 80),
        ("and path, interned", lambda: walk(memory, paths=True), None),
        ("and all attributes", lambda: walk(memory, attributes=True), None),
    )
    for text, work, times in steps:
        yield against(
            f"{what} from RAM, one core: {text}", inside(work, IN_MEMORY_REPEATS), dump, "bgpdump", times, rate
        )


def _python_peers(folder: Path, small: Path, memory: "ctypes.Array[ctypes.c_char]") -> Iterator[Row]:
    python = mrt.ROOT / ".venv-peers" / "bin" / "python"
    if not python.exists():
        yield Row("mrtparse, pybgpkit", "-", "not installed: `make peers`")
        return
    ours = inside(lambda: walk(memory, attributes=True))
    for name, program in (("mrtparse", mrt.MRTPARSE), ("pybgpkit", mrt.BGPKIT)):
        script = folder / f"by_{name}.py"
        script.write_text(program)
        peer = outside([str(python), str(script), str(small)], 0, 1)
        yield against("updates from RAM, all attributes", ours, peer, name)


def _full_table(folder: Path, prefixes: int) -> Row:
    table = folder / "table"
    mrt.full_table(table, prefixes)
    ours = outside([sys.executable, "-c", mrt.FULL_TABLE, str(table)])
    holds = ours.wall_s < TABLE_BAR_S and ours.memory_mb < MEMORY_BAR_MB
    told = f"{ours.wall_s:.2f} s, {ours.memory_mb:.0f} MB"
    bar = f"< {TABLE_BAR_S:g} s, < {MEMORY_BAR_MB} MB"
    return Row(f"full table, {prefixes:,} prefixes x 3 peers, all attributes", told, bar=bar, holds=holds)


def watch_rows(messages: int, prefixes: int, routes: int) -> Iterator[Row]:
    """Measure the watch engine."""
    ours = watch.watched(prefixes)
    made = watch.stream(messages, ours, 0.001, 1)
    seconds, reader, _ = min((watch.run_stream(made, ours) for _ in range(3)), key=lambda run: run[0])
    floor = min(watch.decode_only(made) for _ in range(3))
    rate, decoded = messages / seconds, messages / floor
    lost = messages - reader.messages
    yield Row(
        f"RIS Live JSON to findings, {prefixes:,} watched prefixes", f"{rate / 1e3:.0f} k/s, {lost} lost",
        f"msgspec, JSON alone {decoded / 1e3:.0f} k/s", f"{rate / decoded:.2f} x", ">= 200 k/s, none lost",
        rate >= 200_000 and not lost,
    )  # fmt: skip
    down = watch.peer_down(routes)
    yield Row(f"Peer Down with {routes:,} routes", f"{down * 1e3:.2f} ms", bar="< 1 s", holds=down < 1)
    times = watch.alert(ours, min(prefixes, 200))
    worst = max(times)
    told = f"{worst * 1e3:.2f} ms at worst of {len(times)}"
    yield Row("hijack: alert after the message at the threshold", told, bar="< 100 ms", holds=worst < 0.1)


def validator_row() -> Row:
    """Measure a process that starts and loads a whole export of rpki-client, as JSON."""
    packed = ARCHIVES.parent / "rpki" / "rpkiclient_summary_20250720T093135Z.json.bz2"
    with tempfile.NamedTemporaryFile(suffix=".json") as plain:
        plain.write(bz2.decompress(packed.read_bytes()))
        plain.flush()
        ours = outside([sys.executable, "-c", EXPORT, plain.name])
    told = f"{ours.wall_s:.2f} s, {ours.memory_mb:.0f} MB"
    holds = ours.wall_s < EXPORT_BAR_S and ours.memory_mb < EXPORT_BAR_MB
    bar = f"< {EXPORT_BAR_S:g} s, < {EXPORT_BAR_MB} MB"
    return Row(f"{ours.elements:,} VRPs loaded, memory of their table", told, bar=bar, holds=holds)


@click.command()
@click.option("--size", default=100, show_default=True, help="MB of each archive.")
@click.option("--prefixes", default=1_000_000, show_default=True, help="Of the full table.")
@click.option("--messages", default=300_000, show_default=True, help="Of RIS Live.")
def main(size: int, prefixes: int, messages: int) -> None:
    """Print the table of speeds of observing: archives, the stream, Peer Down, alerts; each row beside its bar."""
    if not ARCHIVES.is_dir() or shutil.which("bgpdump") is None:
        sys.exit(f"needs bgpdump, and real archives in {ARCHIVES} (ANYCASTLE_DATA names the folder above)")
    for kernel in mrt.KERNELS:
        load_kernel(kernel)
    print(f"{platform.machine()}, {mrt.processor()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"{'work':<68}{'ours':>24}  {'peer in the same run':<32}{'ratio':>9}  {'bar':<22}holds")
    for row in chain([validator_row()], watch_rows(messages, 1_000, 1_000_000), archive_rows(size, prefixes)):
        holds = "" if row.holds is None else "yes" if row.holds else "NO"
        print(f"{row.work:<68}{row.ours:>24}  {row.peer:<32}{row.ratio:>9}  {row.bar:<22}{holds}", flush=True)


if __name__ == "__main__":
    main()
