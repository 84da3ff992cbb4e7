"""The example fleet that `anycastle init` writes."""

import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from anycastle.base.errors import MisuseError, WorldError
from anycastle.io.config.schema import SHAPES, json_schema

_EXAMPLE: Final = "example"


def example_files() -> dict[str, str]:
    """Give the files of the example by their paths in the folder: the fleet, and the schemas that it names."""
    found = dict(_texts(files("anycastle.io.config") / _EXAMPLE, ""))
    for kind in SHAPES:
        found[f"schema/{kind}.json"] = json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n"
    return dict(sorted(found.items()))


def _texts(folder: Traversable, prefix: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".yaml"):
            found.append((f"{prefix}{entry.name}", entry.read_text(encoding="utf-8")))
    return found


def check_empty(path: Path) -> None:
    """Raise `MisuseError` if the path is a folder that holds anything, or no folder."""
    try:
        if path.is_symlink() and not path.exists():
            raise MisuseError(f"{path} is a link that leads nowhere")
        if path.exists() and not path.is_dir():
            raise MisuseError(f"{path} is a file; name a folder that is new or empty")
        if path.is_dir() and any(path.iterdir()):
            raise MisuseError(f"{path} is not empty; nothing was written")
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror}", retryable=False) from error


def write_example(path: Path) -> tuple[str, ...]:
    """Write the example into a folder that is new or empty; give the files written. Never replaces a file."""
    check_empty(path)
    texts = example_files()
    try:
        for name, text in texts.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
    except OSError as error:
        raise WorldError(f"{error.filename or path} cannot be written: {error.strerror}", retryable=False) from error
    return tuple(texts)
