"""Write docs/reference/link-messages.md from the messages' shapes; a test fails when it is stale."""

import inspect
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from anycastle.wire.link import limits, message

PAGE = "docs/reference/link-messages.md"

HEAD = """\
# Messages of the link

<!-- Written by tools/link_reference.py from the code. -->

Agents and controllers speak JSON, each message a text frame of a WebSocket (path `/link`, TLS 1.3 with certificates on
both sides). `kind` names the message. A field that stands at its default is left out, one that is not known is passed
over, and so is a message of a kind that is not known, once the session has begun. Anything else that does not fit its
shape ends the session. Why it is so: [the link's design](../design/link.md).
"""


BOUNDS = (
    f"Versions: {', '.join(map(str, limits.VERSIONS))}. Version {limits.DELTA_VERSION} adds `delta`. A message has "
    f"at most {limits.MESSAGE_OCTETS_MAX // 1024**2} MiB, `events` at most {limits.EVENTS_MAX} rows, a name 255 "
    "characters, a reason 4096; whole numbers go from 0 to 2^53."
)


def link_page() -> str:
    """Give the page."""
    parts = [HEAD, textwrap.fill(BOUNDS, 120) + "\n"]
    for title, union in (("An agent says", message.AgentMessage), ("A controller says", message.ControllerMessage)):
        parts += [f"## {title}\n", *map(_section, union.__args__)]
    parts += ["## Parts of messages\n", *(_section(shape) for shape in (message.EventRow, message.PermitShape))]
    return "\n".join(parts)


def _section(shape: Any) -> str:
    tag = shape.__struct_config__.tag
    words = _words(inspect.cleandoc(shape.__doc__ or ""))
    rows = [_row(field, _docs(shape)) for field in msgspec.structs.fields(shape)]
    table = (
        ["| field | type | default | meaning |", "|---|---|---|---|", *rows, ""] if rows else ["It has no fields.", ""]
    )
    return "\n".join([f"### `{tag or shape.__name__}`", "", words, "", *table])


def _row(field: msgspec.structs.FieldInfo, docs: dict[str, str]) -> str:
    default = ""
    if not field.required:
        value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        default = f"`{msgspec.json.encode(value).decode()}`"
    return (
        f"| `{field.name}` | {_type(msgspec.inspect.type_info(field.type))} | {default} | {docs.get(field.name, '')} |"
    )


def _type(info: Any) -> str:
    match info:
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.BytesType():
            return "base64"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.IntType():
            return "whole number"
        case msgspec.inspect.FloatType():
            return "number"
        case msgspec.inspect.ListType(item):
            return f"list of {_type(item)}"
        case msgspec.inspect.DictType(_, value):
            return f"object of {_type(value)}"
        case msgspec.inspect.StructType(shape):
            return f"`{shape.__name__}`"
        case msgspec.inspect.EnumType(kind):
            return " or ".join(f"`{each.value}`" for each in kind)
        case msgspec.inspect.Metadata(inner):
            return _type(inner)
        case _:
            return "JSON"


def _docs(shape: Any) -> dict[str, str]:
    """Give the words below each field of a class."""
    found = re.findall(r'^    (\w+):[^\n]*\n    """(.*?)"""', inspect.getsource(shape), re.MULTILINE | re.DOTALL)
    return {name: _words(words) for name, words in found}


def _words(text: str) -> str:
    return " ".join(line.strip() for line in _lines(text)).replace("|", "\\|")


def _lines(text: str) -> Iterable[str]:
    return text.splitlines()


PAGES = {PAGE: link_page}


def main() -> None:
    """Write the page."""
    (Path(__file__).parent.parent / PAGE).write_text(link_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
