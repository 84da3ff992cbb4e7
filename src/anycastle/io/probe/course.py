"""The course of one probe: its phases as they pass, and the ends of its path."""

from time import monotonic

from anycastle.probe.result import Phase


class Course:
    """Notes phases. One is open at a time; beginning another ends it."""

    __slots__ = ("_began", "local_port", "phase", "phases")

    def __init__(self) -> None:
        self.phases: list[Phase] = []
        self.phase = ""
        """The one that is open; after `end` the last one."""
        self.local_port: int | None = None
        self._began: float | None = None

    def begin(self, phase: str) -> None:
        """Begin a phase."""
        self.end()
        self.phase = phase
        self._began = monotonic()

    def end(self, duration_ms: float | None = None) -> None:
        """End the open phase, if there is one; by the kernel's clock where `duration_ms` is given."""
        if self._began is None:
            return
        passed_ms = (monotonic() - self._began) * 1000
        # The kernel's stamps are of the wall clock, which may be set meanwhile: they can only be shorter than ours.
        exact = duration_ms if duration_ms is not None and 0 <= duration_ms <= passed_ms else passed_ms
        self.phases.append(Phase(self.phase, exact))
        self._began = None
