"""When which upstream is told what, from a schedule file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from anycastle.base.errors import MisuseError
from anycastle.base.ports import Timestamp
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import FindingKind, Findings, Severity
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.scalars import ASNText, PositiveSpan, PrefixText, Text, TimestampText
from anycastle.io.config.shape import ITEMS, Shape, read_shape
from anycastle.io.whole_file import read_whole
from anycastle.model.prefix import Prefix
from anycastle.watch.toggle import Toggle, ToggleKind

TOGGLES_MAX: Final = 10_000
"""Toggles of one schedule: four years of a beacon that moves every two hours, with room."""

Times = Annotated[tuple[TimestampText, ...], ITEMS]


class RepeatShape(Shape):
    """A beacon: set at regular times, and unset again after a while."""

    first: TimestampText = Field(description="When it is set for the first time.")
    until: TimestampText = Field(description="It is set no more from then on.")
    every: PositiveSpan = Field(description="From one setting to the next, such as `4h`.")
    hold: PositiveSpan = Field(description="How long it stays set, such as `2h`.")

    def review(self, findings: Findings) -> None:
        """It begins, ends, and is unset before it is set again."""
        if self.until <= self.first:
            self.add(findings, FindingKind.BAD_VALUE, "until", "it ends before it begins")
        elif self.hold >= self.every:
            self.add(findings, FindingKind.BAD_VALUE, "hold", "it is set again before it is unset")
        elif (self.until - self.first) / self.every > TOGGLES_MAX / 2:
            self.add(findings, FindingKind.BAD_VALUE, "every", f"more than {TOGGLES_MAX} toggles")

    def times(self) -> Iterator[tuple[float, float]]:
        """Give when it is set and unset."""
        at = self.first
        while at < self.until:
            yield at, at + self.hold
            at += self.every


class ExperimentShape(Shape):
    """What one upstream is told, and told the contrary."""

    upstream: ASNText = Field(description="AS number of the upstream.")
    instruction: Text | None = Field(
        None, description="What is set: a community, a prepend. Default: the prefix is announced and withdrawn."
    )
    set: Times | None = Field(None, description="When it is set.")
    unset: Times | None = Field(None, description="When it is removed again.")
    repeat: RepeatShape | None = Field(None, description="A beacon's regular times.")

    def review(self, findings: Findings) -> None:
        """It happens at some time."""
        if self.set is None and self.unset is None and self.repeat is None:
            self.add(findings, FindingKind.MISSING_KEY, "upstream", "no time is given: name set, unset or repeat")

    def toggles(self) -> Iterator[Toggle]:
        """Give them."""
        repeated = list(self.repeat.times()) if self.repeat else []
        for kind, times in (
            (ToggleKind.ANNOUNCE, (*(self.set or ()), *(at for at, _ in repeated))),
            (ToggleKind.WITHDRAW, (*(self.unset or ()), *(at for _, at in repeated))),
        ):
            told = ToggleKind.INSTRUCT if self.instruction else kind
            yield from (Toggle(Timestamp(at), self.upstream, told, self.instruction or "") for at in times)


class ScheduleShape(Shape):
    """A schedule of toggles of one prefix."""

    prefix: PrefixText = Field(description="The test prefix; a service's, so that the fleet says whose it is.")
    settle: PositiveSpan | None = Field(
        None, description="How long a change is given. Default: the fleet's `watch.settling.toggle`."
    )
    toggles: Annotated[tuple[ExperimentShape, ...], ITEMS] = Field(description="What is told to whom, and when.")


@dataclass(frozen=True, slots=True)
class ToggleSchedule:
    """The toggles of one prefix."""

    prefix: Prefix
    settle_s: float
    toggles: tuple[Toggle, ...]


def read_schedule(path: Path, settle_s: float) -> ToggleSchedule:
    """Read a schedule file; `settle_s` is for one that names no settling time.

    Raises what `read_whole` does, and `MisuseError` with every finding.
    """
    findings = Findings()
    root = read_document(str(path), read_whole(path, FILE_BYTES_MAX), findings)
    shape = read_shape(ScheduleShape, root, findings) if root is not None else None
    if findings.errors or shape is None:
        errors = [str(finding) for finding in findings.sorted() if finding.severity is Severity.ERROR]
        raise MisuseError("the schedule cannot be used:\n" + "\n".join(errors))
    toggles = tuple(toggle for experiment in shape.toggles for toggle in experiment.toggles())
    return ToggleSchedule(shape.prefix.value, settle_s if shape.settle is None else shape.settle, toggles)
