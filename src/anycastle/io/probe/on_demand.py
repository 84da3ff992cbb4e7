"""`/probe?target=...&module=...`: one probe for a Prometheus that scrapes, as blackbox exporters serve it.

Whoever can reach this page can have us ask any target, and learn what answers: a way into networks that only we reach.
So targets are hosts and ports of the file's own, unless the operator says otherwise.
"""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from anycastle.base.errors import ParseError
from anycastle.io.metrics import MetricsPage
from anycastle.io.probe.attempt import attempt
from anycastle.io.probe.metrics import ResultCollector
from anycastle.io.probe.prober_file import ProberFile
from anycastle.io.status_server import Page, Question
from anycastle.probe.target import ProbeTarget, aim

TIMEOUT_FIELD: Final = "x-prometheus-scrape-timeout-seconds"
MARGIN_S: Final = 0.5
"""Of the scrape's timeout, for the way back: what blackbox_exporter leaves too."""

TIMEOUT_S: Final = 4.0
TIMEOUT_S_MAX: Final = 60.0


class OnDemand:
    """Answers, a bounded number at a time."""

    def __init__(self, file: ProberFile, targets: Sequence[ProbeTarget], any_target: bool, under_way_max: int) -> None:
        self._file = file
        self._targets = targets
        self._allowed = None if any_target else {(each.host, each.port) for each in targets}
        self._places = under_way_max

    async def answer(self, question: Question) -> Page:
        """Probe, and give the result as metrics."""
        try:
            target = self._target(question)
        except ParseError as error:
            return Page(f"{error}\n".encode(), HTTPStatus.BAD_REQUEST)
        if self._allowed is not None and (target.host, target.port) not in self._allowed:
            text = f"{target.shown} is no target of this prober's file; --any-target lets it ask others\n"
            return Page(text.encode(), HTTPStatus.FORBIDDEN)
        if self._places <= 0:
            return Page(b"too many probes are under way\n", HTTPStatus.SERVICE_UNAVAILABLE)
        self._places -= 1
        try:
            result = await attempt(target, self._file.vantage)
        finally:
            self._places += 1
        content_type, body = MetricsPage(ResultCollector(result)).render(question.fields.get("accept", ""))
        return Page(body, content_type=content_type)

    def _target(self, question: Question) -> ProbeTarget:
        text = question.parameters.get("target", "")
        if not text:
            raise ParseError("target is missing: /probe?target=192.0.2.53&module=NAME, or a target's name alone")
        name = question.parameters.get("module", "")
        if not name:
            known = next((each for each in self._targets if each.name == text), None)
            if known is None:
                raise ParseError(f"module is missing, and no target is named {text!r}")
            return replace(known, timeout_s=_timeout_s(question, known.timeout_s))
        if name not in self._file.modules:
            raise ParseError(f"there is no module {name!r}; there are: {', '.join(self._file.modules)}")
        aimed = aim(text, self._file.modules[name])
        return replace(aimed, timeout_s=_timeout_s(question, TIMEOUT_S), site=self._file.site)


def _timeout_s(question: Question, limit_s: float) -> float:
    """Give the scrape's own timeout less a margin, where that is shorter."""
    try:
        scrape_s = float(question.fields.get(TIMEOUT_FIELD, "nan"))
    except ValueError as error:
        raise ParseError(f"{TIMEOUT_FIELD} is no number") from error
    if not 0 < scrape_s <= TIMEOUT_S_MAX:  # also where it is not given, which is no number
        return limit_s
    return min(limit_s, max(scrape_s - MARGIN_S, scrape_s / 2))
