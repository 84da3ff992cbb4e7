"""The public status page as files, so that it stands where the controller does not.

`index.html` and `api/v2/summary.json`; each is replaced in one step, the page last. Where the controller does not
answer, the page is made anew from the summary that is there, and says how old it is.
"""

from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec

from anycastle.base.errors import MisuseError, ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.durable import write_durably
from anycastle.io.status_page import page
from anycastle.io.whole_file import read_whole

PAGE: Final = "index.html"
SUMMARY: Final = Path("api/v2/summary.json")
PATH: Final = "/api/v1/status/summary.json"
OCTETS_MAX: Final = 8 * 1024 * 1024
_READABLE: Final = 0o644
_NOT_FOUND: Final = 404


class _Page(msgspec.Struct):
    name: str
    updated_at: str


class _Summary(msgspec.Struct):
    """What a page is made of, as far as it must be there."""

    page: _Page
    status: dict[str, str]
    components: list[dict[str, Any]]
    incidents: list[dict[str, Any]]
    scheduled_maintenances: list[dict[str, Any]]
    past_incidents: list[dict[str, Any]]


def fetch(client: httpx2.Client) -> bytes:
    """Give the summary of a controller. Raises `WorldError`, and `MisuseError` where nothing is public there."""
    try:
        answer = client.get(PATH)
    except httpx2.HTTPError as error:
        raise WorldError(f"{client.base_url} does not answer: {error}") from error
    if answer.status_code == _NOT_FOUND:
        raise MisuseError(f"{client.base_url} makes nothing public: write `status` into fleet.yaml, and roll it out")
    if not answer.is_success:
        raise WorldError(f"{client.base_url} gives no status: {answer.status_code} {_detail(answer)}")
    checked(answer.content, str(client.base_url))
    return answer.content


def _detail(answer: httpx2.Response) -> str:
    try:
        return str(msgspec.json.decode(answer.content).get("detail", ""))[:300]
    except (msgspec.DecodeError, AttributeError):
        return ""


def checked(octets: bytes, source: str) -> dict[str, Any]:
    """Give a summary. Raises `ParseError` for what is none."""
    try:
        msgspec.json.decode(octets, type=_Summary)
        told: dict[str, Any] = msgspec.json.decode(octets)
    except msgspec.DecodeError as error:
        raise ParseError(f"{source}: not a summary of a status page: {error}") from error
    return told


def export(folder: Path, octets: bytes, now: Timestamp) -> None:
    """Write both files. Raises `WorldError`; what was not written yet stands as it was."""
    told = checked(octets, "the summary")
    _make(folder / SUMMARY.parent)
    write_durably(folder / SUMMARY, octets, _READABLE)
    write_durably(folder / PAGE, page(told, now).encode(), _READABLE)


def age(folder: Path, now: Timestamp) -> bool:
    """Make the page anew from the summary that is there; tell whether there is one. Raises `WorldError`."""
    if not (folder / SUMMARY).exists():
        return False
    told = checked(read_whole(folder / SUMMARY, OCTETS_MAX), str(folder / SUMMARY))
    write_durably(folder / PAGE, page(told, now).encode(), _READABLE)
    return True


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorldError(f"{folder} cannot be made: {error.strerror}") from error
