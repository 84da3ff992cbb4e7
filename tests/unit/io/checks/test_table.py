import subprocess
import sys
from dataclasses import fields
from typing import get_args

from anycastle.io.checks import CHECKS, runner
from anycastle.model.check import CheckTarget


def kind_of(target: type) -> str:
    return next(str(field.default) for field in fields(target) if field.name == "kind")


def test_every_kind_of_target_has_a_check() -> None:
    assert {kind_of(target) for target in get_args(CheckTarget)} == set(CHECKS)
    assert all(callable(runner(kind)) for kind in CHECKS)


def test_a_kind_that_is_not_used_is_not_loaded() -> None:
    program = (
        "import sys; from anycastle.io.checks import runner; runner('tcp'); "
        "print(*(name for name in ('dns', 'cryptography', 'anycastle.io.checks.tls') if name in sys.modules))"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == []
