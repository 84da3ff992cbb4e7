"""Revisions of the fleet folder: checked before they are stored, and never changed."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.store.port import FOLDER_BYTES_MAX, FolderNote
from anycastle.web.admission import Admitted
from anycastle.web.identity import Asker
from anycastle.web.keyed import answer_of
from anycastle.web.ordering import keyed_state
from anycastle.web.parts import PartsOf
from anycastle.web.problems import Problem, ProblemKind
from anycastle.web.shapes import Revision, RevisionFiles, Revisions, Upload, Uploaded

ROUTER: Final = APIRouter(prefix="/api/v1", route_class=Admitted, tags=["fleet"])

PATH_MAX: Final = 200
"""Characters of a file's path within the folder."""


@ROUTER.get("/fleet/revisions", response_model=Revisions)
async def revisions(
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Annotated[str | None, Query(pattern=r"^[0-9]{1,12}\.[0-9]{1,9}:[0-9A-Za-z._-]{1,80}$")] = None,
) -> Any:
    """List what is stored, the newest first."""
    before = None
    if cursor is not None:
        at, _, revision = cursor.partition(":")
        before = FolderNote(revision, "", Timestamp(float(at)), 0, 0)
    notes = await parts.store.folders(limit, before)
    last = notes[-1] if len(notes) == limit else None
    items = [
        {"revision": note.revision, "who": note.who, "at": note.at, "files": note.files, "octets": note.octets}
        for note in notes
    ]
    return {"items": items, "next": f"{last.at!r}:{last.revision}" if last is not None else None}


@ROUTER.get("/fleet/revisions/{revision}", response_model=RevisionFiles)
async def revision_files(parts: PartsOf, revision: Annotated[Revision, Path()]) -> Any:
    """Give the files of a revision."""
    try:
        files = await parts.store.folder(revision)
    except KeyError as error:
        raise Problem(ProblemKind.NOT_FOUND, f"revision {revision} is not stored here") from error
    return {"revision": revision, "files": {path: octets.decode() for path, octets in files.items()}}


@ROUTER.post("/fleet/revisions", response_model=Uploaded, status_code=201)
async def upload(request: Request, asked: Upload, parts: PartsOf, asker: Asker) -> Response:
    """Store a fleet folder that has no errors. The same files give the same revision, however often."""
    files = {path: text.encode("utf-8", "surrogatepass") for path, text in asked.files.items()}
    wrong = sorted(f"{path[:PATH_MAX]!r}: {why}" for path in files if (why := path_problem(path)))
    if wrong or _clash(files):
        findings = wrong or ["a path is a file and a folder at once"]
        raise Problem(ProblemKind.BAD_FLEET, "paths cannot be used", {"findings": findings[:100]})
    octets = sum(map(len, files.values()))
    if octets > FOLDER_BYTES_MAX:
        raise Problem(ProblemKind.TOO_LARGE, f"{octets} octets in one folder, and {FOLDER_BYTES_MAX} are the most")
    try:
        revision = await parts.fleets.check(files)
    except MisuseError as error:
        findings = [line for line in str(error).splitlines() if not line.endswith(":")]
        raise Problem(ProblemKind.BAD_FLEET, "the folder cannot be used", {"findings": findings}) from error
    told = {"revision": revision, "files": len(files), "octets": octets}
    once = keyed_state(request).once(201, told, f"/api/v1/fleet/revisions/{revision}")
    kept = await parts.controller.kept()
    await parts.store.put_folder(
        revision, files, asker.principal, term=parts.controller.term(), once=once, needed=kept.folders
    )
    return answer_of(once)


def path_problem(path: str) -> str | None:
    """Tell why a path cannot be one of a fleet folder's files; None where it can."""
    if not path or len(path) > PATH_MAX or not path.isprintable():
        return f"a path has 1 to {PATH_MAX} printable characters"
    parts = path.split("/")
    if "\\" in path or any(part in ("", "..", ".") for part in parts):
        return "a path leads downward from the folder, such as pops/fra.yaml"
    if any(len(part.encode()) > 255 for part in parts):
        return "a name within a path has at most 255 octets"
    return None


def _clash(files: dict[str, bytes]) -> bool:
    """Tell whether a file stands where a folder must."""
    return any(str(folder) in files for path in files for folder in PurePosixPath(path).parents)
