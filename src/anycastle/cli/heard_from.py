"""What vantage points saw of the fleet, as `anycastle probe catchments -o ndjson` printed it."""

import json
from pathlib import Path

from anycastle.base.errors import ParseError


def heard_from(path: Path | None) -> dict[str, frozenset[int]] | None:
    """Give PoP -> the networks that it answers. Raises `ParseError` with the line."""
    if path is None:
        return None
    found: dict[str, set[int]] = {}
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                told = json.loads(line)
                pop, asn = told["pop"], told["asn"]
            except (ValueError, KeyError, TypeError) as error:
                wanted = "a line of `anycastle probe catchments -o ndjson`, with its pop and asn"
                raise ParseError(f"{path}:{number}: this is not {wanted}") from error
            if pop is not None and asn is not None:
                found.setdefault(pop, set()).add(asn)
    return {pop: frozenset(networks) for pop, networks in found.items()}
