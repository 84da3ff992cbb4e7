"""The option that names a controller's database."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

STORE_DEFAULT: Final = "sqlite:////var/lib/anycastle/controller.db"


def store_option(command: F) -> F:
    """Give the option for a command that works on a controller's database itself."""
    return click.option(
        "--store", default=STORE_DEFAULT, show_default=True, envvar="ANYCASTLE_STORE",
        help="The database: sqlite:////PATH or postgresql://USER@HOST/NAME.",
    )(command)  # fmt: skip
