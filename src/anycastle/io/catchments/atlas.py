"""RIPE Atlas DNS results (CHAOS hostname.bind, id.server): which PoP's server answered each probe.

A result names the probe's address and the server's name in a TXT answer, as text or as the octets of the reply. The PoP
is found in the name by a pattern with one group. Results with an error, or with a name in which the pattern finds
nothing, are left out and counted.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, ip_address
from pathlib import Path
from typing import Any, NamedTuple

from anycastle.base.errors import ParseError
from anycastle.io.catchments.table import ASNOf
from anycastle.io.catchments.text import read_text
from anycastle.model.asn import ASN
from anycastle.model.catchment import Experiment, Measurement, experiment_of
from anycastle.wire.atlas.dns import REPLY_BASE64_MAX
from anycastle.wire.dns import DNSReply, decode_reply


class AtlasCatchment(NamedTuple):
    """The experiment, and how many results told nothing."""

    experiment: Experiment
    left_out: int


def read_atlas(path: Path, pattern: str, asn_of: ASNOf) -> AtlasCatchment:
    """Read results: a JSON list, or one JSON object a line. Raises `ParseError` with `FILE:LINE`."""
    text = read_text(path)
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ParseError(f"{pattern!r} is no pattern: {error}") from error
    if expression.groups != 1:
        raise ParseError(f"{pattern!r} has {expression.groups} groups; the one group is the PoP's name")
    measured, left_out = [], 0
    for result in _results(text, str(path)):
        asn, name = _asn(result, asn_of), _server(result)
        found = expression.search(name) if name else None
        if asn and found is not None and found[1]:
            measured.append(Measurement(ASN(asn), found[1]))
        else:
            left_out += 1
    if not measured:
        raise ParseError(f"{path}: no result has a server's name in which {pattern!r} finds a PoP")
    pops = {each.pop for each in measured}
    return AtlasCatchment(experiment_of(pops, measured, source=path.name, method="dns"), left_out)


def _results(text: str, name: str) -> Iterator[dict[str, Any]]:
    try:
        rows: Iterable[tuple[int, Any]] = (
            ((1, each) for each in json.loads(text))
            if text.lstrip().startswith("[")
            else ((number, json.loads(line)) for number, line in enumerate(text.splitlines(), 1) if line.strip())
        )
        for number, row in rows:
            if not isinstance(row, dict):
                raise ParseError(f"{name}:{number}: a result is a JSON object")
            yield row
    except (json.JSONDecodeError, RecursionError) as error:
        raise ParseError(f"{name}: {error}") from error


def _asn(result: dict[str, Any], asn_of: ASNOf) -> int:
    """Give the probe's ASN: as stated, else of its address; 0 where unknown (IPv6 without a statement)."""
    stated = result.get("asn_v4")
    if isinstance(stated, int) and 0 < stated <= 0xFFFFFFFF:
        return stated
    try:
        address = ip_address(str(result.get("from") or result.get("src_addr") or ""))
    except ValueError:
        return 0
    return asn_of(int(address)) if isinstance(address, IPv4Address) else 0


def _server(result: dict[str, Any]) -> str:
    """Give the first TXT answer's text, or ''."""
    reply = result.get("result")
    if not isinstance(reply, dict):
        return ""
    answers = reply.get("answers")
    for answer in answers if isinstance(answers, list) else []:
        if isinstance(answer, dict) and answer.get("TYPE") == "TXT":
            data = answer.get("RDATA")
            return str(data[0] if isinstance(data, list) and data else data or "")
    octets = reply.get("abuf")
    return _txt(octets) if isinstance(octets, str) and len(octets) <= REPLY_BASE64_MAX else ""


def _txt(text: str) -> str:
    try:
        reply = decode_reply(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return ""
    return next((each.text for each in reply.answers if each.text), "") if isinstance(reply, DNSReply) else ""
