"""`python -m tests.fuzz [--seconds N] [--family NAME] [--keep]`: each family in a process of its own.

What fails is written to `tests/fuzz/failures`, and the exit code says so. With `--keep` the smallest inputs
that reached new code join the corpus.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
FAMILIES = (
    "open",
    "update",
    "notification",
    "refresh",
    "framer",
    "flowspec",
    "mrt",
    "ris_live",
    "rtr",
    "bmp",
    "irr",
    "link",
    "atlas",
    "dns",
)
CORPUS_FILES_MAX = 80  # of a family, so that the replay stays short
LONGEST = 600  # octets of an input: long enough for every field, short enough for a small corpus


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Fuzz the decoders.")
    parser.add_argument("--seconds", type=int, default=600, help="for each family (default: 600)")
    parser.add_argument("--family", choices=FAMILIES, help="only this one")
    parser.add_argument("--keep", action="store_true", help="add inputs that reach new code to the corpus")
    parser.add_argument("--worker", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None:
        return _work(arguments.family, arguments.worker)
    families = (arguments.family,) if arguments.family else FAMILIES
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        codes = list(pool.map(lambda family: _run(family, arguments.seconds, keep=arguments.keep), families))
    failures = HERE / "failures"
    if not any(failures.iterdir()):
        failures.rmdir()
    return int(any(codes))


def _work(family: str, arguments: list[str]) -> int:
    """Fuzz in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["anycastle.wire", "anycastle.kernels", "anycastle.watch"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([family, *arguments], TARGETS[family])
    atheris.Fuzz()
    return 0


def _run(family: str, seconds: int, *, keep: bool) -> int:
    corpus, failures = HERE / "corpus" / family, HERE / "failures"
    corpus.mkdir(parents=True, exist_ok=True)
    failures.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as found:
        limits = [f"-max_len={LONGEST}", "-timeout=10", f"-artifact_prefix={failures}/{family}-"]
        result = _worker(family, [found, str(corpus), f"-max_total_time={seconds}", "-print_final_stats=1", *limits])
        if keep and not result.returncode:
            _keep(Path(found), corpus)
    lines = result.stderr.splitlines()
    runs = next((line.split()[-1] for line in lines if "number_of_executed_units" in line), "no")
    print(f"{family}: {runs} runs, {'FAILED' if result.returncode else 'nothing undeclared'}", flush=True)
    if result.returncode:
        print("\n".join(lines[-40:]), result.stdout[-2000:], flush=True)
    return result.returncode


def _keep(found: Path, corpus: Path) -> None:
    """Add the smallest of what the fuzzer found to reach new code, as far as the corpus has room."""
    room = CORPUS_FILES_MAX - len(list(corpus.iterdir()))
    inputs = sorted(found.iterdir(), key=lambda path: (path.stat().st_size, path.name))
    for path in inputs[: max(0, room)]:
        shutil.copyfile(path, corpus / path.name)


def _worker(family: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", "--family", family, "--worker", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=HERE.parents[1], check=False)


if __name__ == "__main__":
    sys.exit(main())
