"""Calibrated models in files: NumPy's `.npz`, read without pickle, so that no file runs code."""

import io
import zipfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from anycastle.base.errors import ParseError, WorldError
from anycastle.io.durable import write_durably
from anycastle.twin.calibration import Calibration
from anycastle.twin.calibration_store import decode_calibration, encode_calibration

FILE_BYTES_MAX: Final = 1 << 30
"""Octets of all arrays, unpacked; a model of 7 PoPs and 70,000 ASes has 8 million."""


def write_calibration(model: Calibration, path: Path) -> int:
    """Write a model, whole or not at all; give its octets."""
    octets = io.BytesIO()
    arrays: dict[str, Any] = dict(encode_calibration(model))
    np.savez_compressed(octets, **arrays)
    write_durably(path, octets.getvalue(), 0o644)
    return octets.tell()


def read_calibration(path: Path) -> Calibration:
    """Read a model. Raises `WorldError` where it cannot be read, `ParseError` where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
        if size > FILE_BYTES_MAX:
            raise ParseError(f"{path}: {size} octets unpacked; at most {FILE_BYTES_MAX} are read")
        with np.load(path, allow_pickle=False) as arrays:
            return decode_calibration(arrays, str(path))
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror or error}", retryable=False) from error
    except (zipfile.BadZipFile, EOFError, ValueError) as error:
        raise ParseError(f"{path}: this is no calibration: {error}") from error
