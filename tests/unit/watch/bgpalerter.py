"""BGPalerter's simulated stream and the alerts that it expects, read from its own sources (../shared/data)."""

import json
import os
import re
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from anycastle.model.asn import ASN
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.watch import PathRule
from anycastle.watch.intent import WatchedPrefix

REPOSITORY = Path(__file__).parents[3]
DATA = Path(os.environ.get("ANYCASTLE_DATA", REPOSITORY.parent / "shared" / "data"))
FIXTURES = DATA / "ris-live" / "bgpalerter-fixtures"


def fixture(name: str) -> str:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"no {path}; set ANYCASTLE_DATA to the folder of real inputs")
    return path.read_text(encoding="utf-8")


def updates_of(case: str) -> list[dict[str, Any]]:
    """Give the messages of one case of the simulated connector."""
    text = fixture("connectorTest.js").partition(f'case "{case}":')[2].partition("updates = ")[2]
    messages: list[dict[str, Any]] = _literal(text)
    return messages


def expected_of(test: str) -> list[str]:
    """Give the ids of the alerts that one test expects."""
    text = fixture("2_alerting.js").partition(f'it("{test}"')[2].partition("pubSub.subscribe")[0]
    return re.findall(r'^\s+id: "([^"]+)"', text, re.MULTILINE)


def watched_prefixes() -> list[WatchedPrefix]:
    """Give what the test's configuration watches; a prefix that is to be ignored is not watched."""
    configuration = YAML(typ="safe", pure=True).load(fixture("prefixes.test.yml"))
    return [
        WatchedPrefix(normal(text), _origins(rule["asn"]), path_rules=_rules(rule.get("path", [])))
        for text, rule in configuration.items()
        if text != "options" and not rule.get("ignore")
    ]


def normal(text: str) -> Prefix:
    """Give a prefix without the host bits that the fixtures have."""
    return parse_prefix(str(ip_interface(text).network))


def _origins(written: int | list[int]) -> frozenset[ASN]:
    return frozenset(ASN(asn) for asn in (written if isinstance(written, list) else [written]))


def _rules(written: dict[str, Any] | list[dict[str, Any]]) -> tuple[PathRule, ...]:
    """BGPalerter alerts on a match and only remarks on the length; ours lets a path of the wanted length be."""
    rules = written if isinstance(written, list) else [written]
    return tuple(
        PathRule(rule["match"], rule.get("notMatch"), None, rule.get("maxLength"), rule["matchDescription"])
        for rule in rules
    )


def _literal(text: str) -> Any:
    """Give the JavaScript literal at the start of a text, without comments and trailing commas."""
    bare = re.sub(r"//[^\n]*", "", text[: _end(text)])
    quoted = re.sub(r"([{,]\s*)([A-Za-z_]+):", r'\1"\2":', bare)
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", quoted))


def _end(text: str) -> int:
    """Give where the literal ends: where the brackets are even."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character in "[{") - (character in "]}")
        if depth == 0:
            return position + 1
    raise AssertionError("the literal does not end")
