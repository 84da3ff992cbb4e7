"""Breaks the permit and guard code, one small place at a time, and asks who notices: unit tests or the simulation.

Each mutant runs in a forked child: the module's changed syntax tree is loaded in place of the file, then the unit tests
of that module, then, where these pass, seeds of the simulation. Time is processor time, so that a busy machine changes
nothing; unit tests that need more than they have were caught as well, a simulation that does proves nothing.
`python tools/mutate.py` prints a line for each survivor and a table; `--module` and `--part` narrow it down, and
`--unit` leaves the simulation out.

Written here and not taken from a registry: what is asked is whether *the simulation* notices too, which needs another
run for each survivor, and mutation tools run one command in a new process for each mutant (a hundred times slower).
"""

import ast
import copy
import importlib.abc
import importlib.util
import os
import random
import resource
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Final

import click

ROOT: Final = Path(__file__).parent.parent
UNIT_S: Final = 60
SIMULATION_S: Final = 120
"""Of a processor."""
WAIT_FACTOR: Final = 10
"""How many times as long a child may take by the clock: one that waits uses no processor."""

WHOLE_SEEDS: Final = range(14)
CONTROLLED_SEEDS: Final = (0, 4, 8, 10, 30, 105, 139, 140)
FLEET_SEEDS: Final = range(8)


@dataclass(frozen=True, slots=True)
class Target:
    """What is broken: all functions of a module, or some; and the unit tests that should notice."""

    functions: frozenset[str]
    tests: tuple[str, ...]


def _target(functions: str, *tests: str) -> Target:
    return Target(frozenset(functions.split()), tests)


_ROLLOUT = "tests/unit/rollout"
_HEALTH = "tests/unit/health"
_AGENT = tuple(f"{_HEALTH}/test_{name}.py" for name in ("permits", "pop_services", "snapshot", "found", "agent"))

TARGETS: Final = MappingProxyType(
    {
        "anycastle.rollout.permits": _target("", f"{_ROLLOUT}/test_permits.py"),
        "anycastle.rollout.presence": _target(
            "", f"{_ROLLOUT}/test_presence.py", f"{_ROLLOUT}/test_checks.py", f"{_ROLLOUT}/test_fleet_composer.py",
        ),
        "anycastle.rollout.limits": _target(
            "pops_max region_max capacity_fits share extent_of",
            f"{_ROLLOUT}/test_presence.py", f"{_ROLLOUT}/test_plan.py", f"{_ROLLOUT}/test_checks.py",
            "tests/property/test_rollout.py",
        ),
        "anycastle.rollout.staging": _target(
            "phase _groups _fits stage_units",
            f"{_ROLLOUT}/test_staging.py", f"{_ROLLOUT}/test_plan.py", f"{_ROLLOUT}/test_fleet_composer.py",
            "tests/property/test_rollout.py",
        ),
        "anycastle.rollout.staged": _target("", f"{_ROLLOUT}/test_fleet_composer.py"),
        "anycastle.rollout.standing": _target("order_agents _require_known", f"{_ROLLOUT}/test_controller.py"),
        "anycastle.rollout.fleet_composer": _target(
            "below_floor drained_below_floor _short _drains _with_highest_floors", f"{_ROLLOUT}/test_fleet_composer.py"
        ),
        "anycastle.model.service": _target("met_by spares", *_AGENT, f"{_ROLLOUT}/test_permits.py"),
        "anycastle.health.permits": _target("", *_AGENT),
        "anycastle.health.pop_services": _target(
            "tied permit_for when_alone would_use_permit any_pending", *_AGENT
        ),
        "anycastle.health.other_fleet": _target("", *_AGENT),
        "anycastle.health.snapshot": _target("permits_of_left with_uses_foreseen", *_AGENT),
        "anycastle.health.lease_terms": _target("lease_terms _lease_term", *_AGENT),
        "anycastle.health.heartbeat": _target("waits_for_checks boot renew", *_AGENT),
        "anycastle.health.found": _target("take_at_reload", *_AGENT),
        "anycastle.health.stance": _target("decide _cause_to_withdraw _may_withdraw", *_AGENT),
        "anycastle.health.decider": _target(
            "_decided change_permit free_permits foresee _to_save waits_to_vouch look_at_clocks", *_AGENT
        ),
        "anycastle.health.agent": _target(
            "controller_met permit_reports permit_granted permit_revoked want_permits require_takeable", *_AGENT
        ),
    }
)  # fmt: skip

EQUIVALENT: Final = ROOT / "tools" / "mutants_equivalent.txt"
"""`module:function: what` of mutants that change nothing that can be seen, each followed by the reason."""

_SWAPS: Final = MappingProxyType(
    {
        ast.Lt: (ast.LtE,), ast.LtE: (ast.Lt,), ast.Gt: (ast.GtE,), ast.GtE: (ast.Gt,), ast.Eq: (ast.NotEq,),
        ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
        ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div,), ast.And: (ast.Or,), ast.Or: (ast.And,),
        ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd,),
    }
)  # fmt: skip
_CALLS: Final = MappingProxyType({"min": "max", "max": "min", "all": "any", "any": "all"})


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change, and the tree that has it."""

    module: str
    function: str
    line: int
    what: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.module}:{self.function}: {self.what}"


def _path_of(module: str) -> Path:
    return ROOT / "src" / Path(*module.split(".")).with_suffix(".py")


def mutants_of(module: str, functions: frozenset[str]) -> Iterator[Mutant]:
    """Give the mutants of a module's functions, in the order of the text."""
    tree = ast.parse(_path_of(module).read_text())
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        if functions and function.name not in functions:
            continue
        for index, node in enumerate(ast.walk(function)):
            for what, change in _changes(node):
                changed = copy.deepcopy(tree)
                twin = next(each for each in ast.walk(changed) if _is_same(each, function))
                target = list(ast.walk(twin))[index]
                if change(target, twin):
                    line = getattr(node, "lineno", function.lineno)
                    yield Mutant(module, function.name, line, what, ast.fix_missing_locations(changed))


def _is_same(node: ast.AST, function: ast.FunctionDef) -> bool:
    return isinstance(node, ast.FunctionDef) and (node.name, node.lineno) == (function.name, function.lineno)


def _changes(node: ast.AST) -> Iterator[tuple[str, object]]:
    """Give what can be made of a node: words, and what does it to the node's twin."""
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in _SWAPS.get(type(operator), ()):
                yield f"{ast.unparse(node)} -> {other.__name__}", _set_list("ops", place, other)
    elif isinstance(node, ast.BoolOp | ast.BinOp):
        for other in _SWAPS.get(type(node.op), ()):
            yield f"{ast.unparse(node)} -> {other.__name__}", _set("op", other)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield f"{ast.unparse(node)} -> without not", _replace(lambda twin: twin.operand)
    elif isinstance(node, ast.Constant) and type(node.value) in (bool, int, float):
        changed = (not node.value) if isinstance(node.value, bool) else node.value + 1
        yield f"{node.value} -> {changed}", _set("value", lambda: changed)
    elif isinstance(node, ast.If | ast.IfExp):
        for value in (True, False):
            yield f"if {ast.unparse(node.test)} -> {value}", _set("test", lambda value=value: ast.Constant(value))
    elif isinstance(node, ast.comprehension) and node.ifs:
        for place, test in enumerate(node.ifs):
            yield f"... if {ast.unparse(test)} -> True", _set_list("ifs", place, lambda: ast.Constant(True))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _CALLS:
        name = _CALLS[node.func.id]
        yield f"{ast.unparse(node)} -> {name}", _set("func", lambda: ast.Name(name, ast.Load()))
    elif isinstance(node, ast.Expr | ast.Assign | ast.AugAssign) and not _is_docstring(node):
        yield f"{ast.unparse(node)} -> left out", _replace(lambda _twin: ast.Pass())
    elif isinstance(node, ast.Slice) and node.upper is not None:
        yield f"[{ast.unparse(node)}] -> without its end", _set("upper", lambda: None)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _set(field: str, make: object) -> object:
    def change(node: ast.AST, _within: ast.AST) -> bool:
        setattr(node, field, make())  # type: ignore[operator]
        return True

    return change


def _set_list(field: str, place: int, make: object) -> object:
    def change(node: ast.AST, _within: ast.AST) -> bool:
        getattr(node, field)[place] = make()  # type: ignore[operator]
        return True

    return change


def _replace(make: object) -> object:
    def change(node: ast.AST, within: ast.AST) -> bool:
        for parent in ast.walk(within):
            for field, value in ast.iter_fields(parent):
                if value is node:
                    setattr(parent, field, make(node))  # type: ignore[operator]
                    return True
                if isinstance(value, list) and any(each is node for each in value):
                    setattr(parent, field, [make(each) if each is node else each for each in value])  # type: ignore[operator]
                    return True
        return False

    return change


class _Loader(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from a changed tree."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, _path: object, _target: object = None) -> object:
        if name != self._mutant.module:
            return None
        return importlib.util.spec_from_loader(name, self)

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.tree, f"<{self._mutant.module}>", "exec"), module.__dict__)


UNIT, SIMULATED, LATE, NAMED, SURVIVED = "unit tests", "the simulation", "a deadline", "named equivalent", "nobody"


def judge(mutant: Mutant, tests: Sequence[str], *, simulated_too: bool = True) -> str:
    """Give who catches a mutant."""
    unit = _in_child(mutant, lambda: _run_tests(tests), UNIT_S)
    if unit != 0:
        return LATE if unit is None else UNIT
    if not simulated_too:
        return SURVIVED
    simulated = _in_child(mutant, _simulate, SIMULATION_S)
    return SIMULATED if simulated == 1 else SURVIVED  # one that was only slow proves nothing


def require_sound(name: str, tests: Sequence[str]) -> None:
    """Exit where the tests fail for the module as it is: they would then catch anything."""
    unchanged = Mutant(name, "", 0, "nothing", ast.parse(_path_of(name).read_text()))
    if _in_child(unchanged, lambda: _run_tests(tests), UNIT_S) != 0:
        sys.exit(f"the tests of {name} fail, or take too long, without any mutation")


def _in_child(mutant: Mutant, run: object, seconds: int) -> int | None:
    """Run in a forked child; give its exit code, None where it was too slow."""
    child = os.fork()
    if child == 0:
        signal.alarm(WAIT_FACTOR * seconds)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        sys.meta_path.insert(0, _Loader(mutant))
        code = 1
        try:
            code = int(run())  # type: ignore[operator]
        except BaseException:  # noqa: BLE001  whatever it is, it was noticed
            code = 1
        os._exit(code)
    _, status = os.waitpid(child, 0)
    return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _run_tests(tests: Sequence[str]) -> int:
    import pytest

    os.chdir(ROOT)
    return int(pytest.main([*tests, "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:randomly"]))


def _simulate() -> int:
    from tests.simulation import controlled, fleet
    from tests.simulation.whole import simulation

    seeds = [(simulation.simulate, seed) for seed in WHOLE_SEEDS]
    seeds += [(controlled.simulate, seed) for seed in CONTROLLED_SEEDS]
    seeds += [(fleet.simulate, seed) for seed in FLEET_SEEDS]
    random.Random(1).shuffle(seeds)
    for simulate, seed in seeds:
        simulate(seed)
    return 0


def equivalent() -> dict[str, str]:
    """Give the mutants that are named equivalent, with the reason."""
    lines = EQUIVALENT.read_text().splitlines() if EQUIVALENT.exists() else []
    pairs = [line.split(" # ", 1) for line in lines if " # " in line]
    return {name.strip(): reason for name, reason in pairs}


@click.command()
@click.option("--module", multiple=True, help="Only this module, by the end of its name.")
@click.option("--part", default="0/1", show_default=True, help="Every Nth mutant: K/N.")
@click.option("--unit", is_flag=True, help="Unit tests alone: what these do not notice counts as noticed by nobody.")
@click.option("--list", "only_list", is_flag=True, help="Print the mutants, and run none.")
def main(module: tuple[str, ...], part: str, unit: bool, only_list: bool) -> None:
    """Break the permit and guard code place by place, and tell which break nobody notices."""
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    chosen = {name: target for name, target in TARGETS.items() if not module or name.endswith(module)}
    which, of = map(int, part.split("/"))
    known, kinds = equivalent(), (UNIT, SIMULATED, LATE, NAMED, SURVIVED)
    for name in ("msgspec", "pytest"):
        import_module(name)  # what every child needs is loaded once
    survivors = 0
    print("| module | mutants | " + " | ".join(kinds) + " |")
    for name, target in chosen.items():
        made = list(mutants_of(name, target.functions))[which::of]
        if only_list:
            print("\n".join(map(str, made)))
            continue
        require_sound(name, target.tests)
        by = Counter[str]()
        for mutant in made:
            caught = NAMED if str(mutant) in known else judge(mutant, target.tests, simulated_too=not unit)
            by[caught] += 1
            if caught == SURVIVED:
                print(f"survives: {mutant} (line {mutant.line})", file=sys.stderr, flush=True)
        print(f"| `{name}` | {len(made)} | " + " | ".join(str(by[kind]) for kind in kinds) + " |", flush=True)
        survivors += by[SURVIVED]
    sys.exit(survivors > 0)


if __name__ == "__main__":
    main()
