"""Small files read whole, within a bound."""

from pathlib import Path

from anycastle.base.errors import ParseError, WorldError


def read_whole(path: Path, octets_max: int) -> bytes:
    """Give a file's octets. Raises `WorldError` where it cannot be read, `ParseError` where it is larger."""
    try:
        with path.open("rb") as file:
            octets = file.read(octets_max + 1)
    except OSError as error:
        raise WorldError(f"{path} cannot be read: {error.strerror or error}", retryable=False) from error
    if len(octets) > octets_max:
        raise ParseError(f"{path}: larger than {octets_max} octets")
    return octets
