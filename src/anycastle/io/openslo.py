"""Files of OpenSLO: YAML of one or several documents."""

from pathlib import Path
from typing import Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from anycastle.base.errors import ParseError
from anycastle.io.catchments.text import read_text
from anycastle.model.objective import Objective
from anycastle.slo.export.openslo import read_document

BYTES_MAX: Final = 4 << 20
"""Of a file: some thousand objectives."""


def read_openslo(path: Path) -> list[Objective]:
    """Read the objectives of a file; documents of other kinds are passed over. Raises `ParseError` for all at once."""
    text = read_text(path)
    if len(text) > BYTES_MAX:
        raise ParseError(f"{path}: more than {BYTES_MAX:,} characters")
    found: list[Objective] = []
    errors: list[str] = []
    try:
        documents = list(YAML(typ="safe", pure=True).load_all(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ParseError(f"{place}: {error.problem}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        raise ParseError(f"{path}: {' '.join(str(error).split())[:200]}") from error
    for number, document in enumerate(documents, 1):
        if document is None:
            continue
        try:
            objective = read_document(document, f"{path}: document {number}")
        except ParseError as error:
            errors.append(str(error))
            continue
        if objective is not None:
            found.append(objective)
    if errors:
        raise ParseError("\n".join(errors))
    if not found:
        raise ParseError(f"{path}: no document is of kind SLO")
    return found
