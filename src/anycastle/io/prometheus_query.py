"""What a Prometheus is asked: values of now, of each PoP or of all series; series over time; and its alerts.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

import ssl
from collections.abc import Mapping
from typing import Final

import httpx2
import msgspec

from anycastle.base.errors import ParseError, WorldError
from anycastle.base.ports import Timestamp
from anycastle.io.config.indicators_file import IndicatorSettings
from anycastle.io.prometheus_answer import PATH, RANGE_PATH, Course, Sample, read_instant, read_range
from anycastle.io.whole_file import read_whole

TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 4 << 20
TOKEN_BYTES_MAX: Final = 65_536
LABEL: Final = "pop"


class PrometheusAlert(msgspec.Struct):
    """An alert as Prometheus has it: `pending` or `firing`."""

    state: str
    labels: dict[str, str]
    annotations: dict[str, str]


class _Alerts(msgspec.Struct):
    alerts: list[PrometheusAlert]


class _AlertsAnswer(msgspec.Struct):
    data: _Alerts | None = None
    error: str = ""


class PrometheusQueries:
    """Asks one Prometheus; `close` it."""

    def __init__(self, settings: IndicatorSettings) -> None:
        self._settings = settings
        context = ssl.create_default_context(cafile=settings.ca_file) if settings.url.startswith("https") else False
        self._client = httpx2.AsyncClient(verify=context, timeout=TIMEOUT_S, trust_env=False)

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()

    async def by_pop(self, query: str) -> dict[str, tuple[float, Timestamp]]:
        """Give PoP -> value, and the time that it is of. Raises `WorldError` with what the server says."""
        return self._values(*await self._get(PATH, {"query": query}))

    async def samples(self, query: str) -> tuple[Sample, ...]:
        """Give what each series is now. Raises `WorldError` with what the server says."""
        return self._samples(*await self._get(PATH, {"query": query}))

    async def course(self, query: str, start: float, end: float, step_s: float) -> tuple[Course, ...]:
        """Give what each series was over time. Raises `WorldError` with what the server says."""
        asked = {"query": query, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step_s:.3f}"}
        octets, status = await self._get(RANGE_PATH, asked)
        try:
            return read_range(octets)
        except ParseError as error:
            raise WorldError(self._words(status, error)) from error

    async def alerts(self) -> list[PrometheusAlert]:
        """Give the alerts that are pending or firing. Raises `WorldError` with what the server says."""
        octets, status = await self._get("/api/v1/alerts", {})
        try:
            told = msgspec.json.decode(octets, type=_AlertsAnswer)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            text = f"{self._settings.url}: status {status}, and the answer is not of the alerts API"
            raise WorldError(text) from error
        if told.data is None:
            raise WorldError(f"{self._settings.url}: {told.error or f'status {status}'}")
        return told.data.alerts

    async def _get(self, path: str, parameters: Mapping[str, str]) -> tuple[bytes, int]:
        url = self._settings.url
        try:
            answer = await self._client.get(f"{url}{path}", params=dict(parameters), headers=self._headers())
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise WorldError(f"{url}: {str(error) or type(error).__name__}") from error
        if len(answer.content) > ANSWER_BYTES_MAX:
            raise WorldError(f"{url}: an answer of {len(answer.content)} octets")
        return answer.content, answer.status_code

    def _headers(self) -> Mapping[str, str]:
        if self._settings.token_file is None:
            return {}
        token = read_whole(self._settings.token_file, TOKEN_BYTES_MAX).decode("utf-8", "replace").strip()
        return {"Authorization": f"Bearer {token}"}

    def _values(self, octets: bytes, status: int) -> dict[str, tuple[float, Timestamp]]:
        url = self._settings.url
        found: dict[str, tuple[float, Timestamp]] = {}
        for each in self._samples(octets, status):
            pop = each.labels.get(LABEL)
            if pop is None:
                raise WorldError(f"{url}: a series has no label {LABEL!r}: aggregate by ({LABEL})")
            if pop in found:
                raise WorldError(f"{url}: {pop} has several series: aggregate by ({LABEL})")
            found[pop] = each.value, each.at
        return found

    def _samples(self, octets: bytes, status: int) -> tuple[Sample, ...]:
        try:
            return read_instant(octets, scalar=False)
        except ParseError as error:
            raise WorldError(self._words(status, error)) from error

    def _words(self, status: int, error: ParseError) -> str:
        return f"{self._settings.url}: {f'status {status}, and ' if status != 200 else ''}{error}"
