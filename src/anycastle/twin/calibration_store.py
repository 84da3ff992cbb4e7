"""A calibrated model as arrays and one JSON text, and back: what a file of it holds.

Nothing in it is code. There are the arrays of `twin.calibration.Calibration`, and a header with the names of PoPs, the
graph and its date, the scorecard, and the version of this form.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anycastle.base.errors import ParseError
from anycastle.twin.calibration import Calibration
from anycastle.twin.evidence import POPS_MAX

VERSION: Final = 1
ASES_MAX: Final = 1 << 22
"""ASes of a model; about 80,000 announce a prefix."""
_FORMS: Final[Mapping[str, tuple[type, int]]] = {
    "asn": (np.uint32, 1),
    "odds": (np.float32, 2),
    "outcome": (np.int8, 2),
    "placed": (np.bool_, 1),
    "level": (np.float64, 1),
    "reliability": (np.float64, 2),
}


def encode_calibration(model: Calibration) -> dict[str, NDArray[Any]]:
    """Give the arrays of a file; `header` is JSON as octets."""
    header = {
        "kind": "anycastle calibration",
        "version": VERSION,
        "pops": list(model.pops),
        "graph": model.graph,
        "graph_date": model.graph_date,
        "scorecard": dict(model.scorecard),
    }
    octets = json.dumps(header, ensure_ascii=False, allow_nan=False).encode()
    arrays: dict[str, NDArray[Any]] = {
        name: np.asarray(getattr(model, name), form) for name, (form, _) in _FORMS.items()
    }
    return {"header": np.frombuffer(octets, np.uint8), **arrays}


def decode_calibration(arrays: Mapping[str, NDArray[Any]], name: str) -> Calibration:
    """Give the model of a file's arrays. Raises `ParseError` where they are not of this form or do not fit together."""
    header = _header(arrays, name)
    pops = header["pops"]
    fields = {key: _array(arrays, key, form, axes, name) for key, (form, axes) in _FORMS.items()}
    ases, pairs = len(fields["asn"]), len(pops) * (len(pops) - 1) // 2
    shapes = {"odds": (ases, pairs), "outcome": (ases, pairs), "placed": (ases,), "level": (pairs,)}
    for key, shape in shapes.items():
        if fields[key].shape != shape:
            raise ParseError(f"{name}: {key} has the shape {fields[key].shape}; with these ASes and PoPs it is {shape}")
    if not 0 < ases <= ASES_MAX or (np.diff(fields["asn"].astype(np.int64)) <= 0).any():
        raise ParseError(f"{name}: asn is not an ascending list of 1 to {ASES_MAX} ASNs")
    if fields["reliability"].shape[1:] != (2,) or not len(fields["reliability"]):
        raise ParseError(f"{name}: reliability is no list of pairs")
    if not all(np.isfinite(fields[key]).all() for key in ("odds", "level", "reliability")):
        raise ParseError(f"{name}: a number is not finite")
    return Calibration(
        tuple(pops), **fields, graph=header["graph"], graph_date=header["graph_date"], scorecard=header["scorecard"]
    )


def _header(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, Any]:
    try:
        header = json.loads(_array(arrays, "header", np.uint8, 1, name).tobytes())
    except (ValueError, RecursionError) as error:
        raise ParseError(f"{name}: the header is no JSON: {error}") from error
    if not isinstance(header, dict) or header.get("kind") != "anycastle calibration":
        raise ParseError(f"{name}: this is no calibration")
    if header.get("version") != VERSION:
        raise ParseError(f"{name}: version {header.get('version')!r}; this program reads {VERSION}: calibrate again")
    pops = header.get("pops")
    if not isinstance(pops, list) or not 2 <= len(pops) <= POPS_MAX or not all(isinstance(pop, str) for pop in pops):
        raise ParseError(f"{name}: pops is no list of 2 to {POPS_MAX} names")
    if not all(isinstance(header.get(key), str) for key in ("graph", "graph_date")):
        raise ParseError(f"{name}: the graph has no name or no date")
    if not isinstance(header.get("scorecard"), dict):
        raise ParseError(f"{name}: the scorecard is missing")
    return header


def _array(arrays: Mapping[str, NDArray[Any]], key: str, form: type, axes: int, name: str) -> NDArray[Any]:
    try:
        array = arrays[key]
    except (KeyError, ValueError) as error:
        raise ParseError(f"{name}: no array {key!r}; this is no calibration, or of another version") from error
    if array.dtype != np.dtype(form) or array.ndim != axes:
        raise ParseError(f"{name}: {key} is {array.dtype}[{array.ndim} axes]; it should be {np.dtype(form)}[{axes}]")
    return array
