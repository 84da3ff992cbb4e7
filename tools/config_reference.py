"""Write docs/reference/configuration.md and config-findings.md from the code; a test fails when they are stale."""

from pathlib import Path
from typing import Any

from anycastle.io.config import FindingKind
from anycastle.io.config.schema import json_schema, schema_of
from anycastle.io.config.shapes.probe import ProberShape
from anycastle.io.config.shapes.telemetry import TelemetryShape

FILES = {"fleet": "`fleet.yaml`", "pop": "`pops/*.yaml`", "service": "`services/*.yaml`"}

INTRODUCTION = """\
# Configuration

<!-- Written by tools/config_reference.py from the code. -->

A fleet is a folder of YAML 1.2 files, made to be reviewed and kept in git:

| file | holds |
|---|---|
| `fleet.yaml` | the fleet: its AS number, regions and shared prefixes |
| `pops/*.yaml` | one PoP each: place, router, upstreams |
| `services/*.yaml` | one service each: prefixes, PoPs, checks, policy, floor |

Folders within `pops/` and `services/` are read too. Hidden files and those that end in `~` are not; any other `.yaml`
or `.yml` file that would not be read is an error. `anycastle init DIR` writes a commented example,
`anycastle config validate DIR` finds [everything that is wrong](config-findings.md) at once and offline,
`anycastle config show DIR` prints the fleet with every default filled in, and
`anycastle config schema fleet|pop|service` prints JSON Schema for editors.

- **Durations** have a unit: `us`, `ms`, `s`, `m`, `h`, as in `250ms`. **Capacities** have one of `k`, `M`, `G`, `T`
  (10³ to 10¹²), as in `10G`. A bare number is an error.
- **An empty list never means all**; neither does a key without a value. Where all can be meant, write `all`.
- **Secrets** are never written into the fleet: a key names the file, on the PoP, that holds the secret.
- **YAML**: anchors, aliases and merge keys (`<<`) work; keys of the outermost level that begin with `x-` are passed
  over and can hold anchors. Tags, directives and several documents in a file are errors. `no` is text, and `true` and
  `false` are the only booleans.
- **Policies** are laid over each other, each key from the narrowest scope that gives it: `announcement`, then
  `announcement.upstreams.U`, then `announcement.pops.P`, then `announcement.pops.P.upstreams.U`. `communities` of a
  narrower scope take the place of those of the wider one; `steered.communities` are added to the usual ones.
- **Communities** are `64500:1`, `64500:1:2`, `rt:64500:1`, a well-known name (`graceful-shutdown`, `blackhole`,
  `no-export`, `no-advertise`, `no-export-subconfed`, `no-peer`), or a word of the upstream's `vocabulary`, which every
  upstream that the policy applies to must know.
- **Floors**: one PoP by default. `floor.pops: 0` is refused unless `allow_no_floor: true` stands beside it.
- **Limits**: a file has at most 1 MiB, 32 levels and 50,000 keys and values with its aliases expanded; a fleet has at
  most 10,000 PoPs and as many services.
"""


def configuration_page() -> str:
    """Give the page of all keys."""
    parts = [INTRODUCTION]
    for kind, title in FILES.items():
        schema = json_schema(kind)
        parts += [f"## {title}\n", *_sections(schema, schema, "", seen=set())]
    return "\n".join(parts)


def _sections(schema: dict[str, Any], root: dict[str, Any], prefix: str, seen: set[str]) -> list[str]:
    """Give the table of one mapping, then those within it, each shape once."""
    rows = ["| key | type | default | meaning |", "|---|---|---|---|"]
    nested: list[tuple[str, dict[str, Any]]] = []
    for key, value in schema["properties"].items():
        path = f"{prefix}{key}"
        required = key in schema.get("required", ())
        default = "required" if required else f"`{_text(value['default'])}`" if "default" in value else ""
        rows.append(f"| `{path}` | {_type(value)} | {default} | {_cell(value['description'])} |")
        inner, suffix = _inner(value, root)
        if inner is not None:
            nested.append((f"{path}{suffix}.", inner))
    sections = ["\n".join(rows) + "\n"]
    for path, inner in nested:
        name = inner["name"]
        if name in seen:
            continue
        seen.add(name)
        sections += [f"**`{path.rstrip('.')}`** {_cell(inner['schema']['description'])}\n"]
        sections += _sections(inner["schema"], root, path, seen)
    return sections


def _inner(value: dict[str, Any], root: dict[str, Any]) -> tuple[dict[str, Any] | None, str]:
    for holder, suffix in ((value, ""), (value.get("items"), "[]"), (value.get("additionalProperties"), ".NAME")):
        if isinstance(holder, dict) and "$ref" in holder:
            name = holder["$ref"].rsplit("/", 1)[1]
            return {"name": name, "schema": root["$defs"][name]}, suffix
    return None, ""


def _type(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(_type(choice) for choice in value["anyOf"])
    if "const" in value:
        return f"`{value['const']}`"
    if "enum" in value:
        return ", ".join(f"`{word}`" for word in value["enum"])
    if value.get("type") == "array":
        return f"list of {_type(value['items'])}"
    if "$ref" in value:
        return "mapping"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"mapping of names to {_type(inner)}" if isinstance(inner, dict) else "mapping"
    return _simple_type(value)


def _simple_type(value: dict[str, Any]) -> str:
    kind = value.get("type")
    if isinstance(kind, list):
        kind = "AS number"
    if kind in ("integer", "number") and "minimum" in value:
        return f"{kind}, {value['minimum']} to {value['maximum']}"
    if kind == "string":
        examples = value.get("examples", ())[:3]
        return "text" + (f" such as {', '.join(f'`{each}`' for each in examples)}" if examples else "")
    return str(kind)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def findings_page() -> str:
    """Give the page of all findings."""
    lines = [
        "# What `config validate` finds",
        "",
        "<!-- Written by tools/config_reference.py from the code. -->",
        "",
        "Each finding is `file:line:column: key: what is wrong [code]`, sorted by place; lines and columns count",
        "characters from 1. A finding about a key points at the key, one about a value at the value, one about a",
        "missing key at the mapping that lacks it. Errors keep the folder from being used; warnings ask for a second",
        "look. Codes keep their meaning for ever.",
        "",
        "| code | severity | what | what to do |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {kind.code} | {kind.severity.value} | {_cell(kind.title)} | {_cell(kind.advice)} |" for kind in FindingKind
    ]
    return "\n".join(lines) + "\n"


PROBER = """\
# A prober's file

<!-- Written by tools/config_reference.py from the code. -->

What `anycastle prober run FILE` reads ([how to](../how-to/prober.md)). It is YAML as that of
[a fleet](configuration.md): durations have a unit, an empty list never means all, secrets are never written into it,
keys of the outermost level that begin with `x-` are passed over. It has at most 1 MiB and 50,000 keys and values: some
3,800 targets. A module has exactly one of its kinds.

"""


def prober_page() -> str:
    """Give the page of all keys of a prober's file."""
    schema = schema_of(ProberShape)
    return PROBER + "\n".join(_sections(schema, schema, "", seen=set()))


TELEMETRY = """\
# A telemetry file

<!-- Written by tools/config_reference.py from the code. -->

What `anycastle telemetry run FILE` reads ([how to](../how-to/telemetry.md)). It is YAML as that of
[a fleet](configuration.md): durations have a unit, an empty list never means all, secrets are never written into it,
keys of the outermost level that begin with `x-` are passed over.

"""


def telemetry_page() -> str:
    """Give the page of all keys of a telemetry file."""
    schema = schema_of(TelemetryShape)
    return TELEMETRY + "\n".join(_sections(schema, schema, "", seen=set()))


PAGES = {
    "docs/reference/prober-file.md": prober_page,
    "docs/reference/telemetry-file.md": telemetry_page,
    "docs/reference/configuration.md": configuration_page,
    "docs/reference/config-findings.md": findings_page,
}


def main() -> None:
    """Write the pages."""
    root = Path(__file__).parent.parent
    for name, page in PAGES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
