"""The file that `anycastle controller run --indicators` names: a Prometheus, and what gates can ask of it."""

import re
from typing import Annotated, Any, Final

from pydantic import Field, PlainValidator, WithJsonSchema

from anycastle.io.config.findings import FindingKind, Findings
from anycastle.io.config.nodes import shown
from anycastle.io.config.scalars import Path, SecretPath, Text, duration, read_text, refuse
from anycastle.io.config.shape import ENTRIES, Shape
from anycastle.rollout.gates import INDICATOR_PATTERN, INDICATORS
from anycastle.slo.charts import OF_MACHINES

EVERY_S: Final = 15.0
"""As often as Prometheus scrapes, in most places."""

INDICATORS_MAX: Final = 100

EverySpan = Annotated[float, PlainValidator(duration(1.0, 600.0)), WithJsonSchema({"type": "string"})]


def _read_url(node: Any) -> str:
    text = read_text(node)
    if not text.startswith(("http://", "https://")) or "@" in text:
        raise refuse(
            FindingKind.BAD_VALUE, f"{shown(text)} is no place of a Prometheus: http://HOST:9090, without user"
        )
    return text.rstrip("/")


URL = Annotated[str, PlainValidator(_read_url), WithJsonSchema({"type": "string", "format": "uri"})]


class IndicatorsShape(Shape):
    """The whole file."""

    prometheus: URL = Field(description="Where it answers, such as `http://prometheus.example.net:9090`.")
    every: EverySpan = Field(EVERY_S, description="How often it is asked.")
    token_file: SecretPath | None = Field(None, description="The file with a bearer token, where one is needed.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")
    indicators: Annotated[dict[str, Text], ENTRIES] = Field(
        default_factory=dict,
        description="Of gates: name -> PromQL whose result has a value for each PoP, in the label `pop`.",
    )

    charts: Annotated[dict[str, Text], ENTRIES] = Field(
        default_factory=dict,
        description="`cpu` and `drops` of the pages: PromQL whose result has a value for each PoP, in the label `pop`;"
        " node_exporter's by default.",
    )

    def review(self, findings: Findings) -> None:
        """Names are those that gates can be written with, and those of charts."""
        for name in self.charts:
            if name not in OF_MACHINES:
                message = f"{name!r} is no chart whose query can be given: {', '.join(OF_MACHINES)}"
                self.add_at_entry(findings, FindingKind.BAD_VALUE, "charts", name, message)
        if len(self.indicators) > INDICATORS_MAX:
            message = f"at most {INDICATORS_MAX} indicators, and not {len(self.indicators)}"
            self.add(findings, FindingKind.BAD_VALUE, "indicators", message)
        for name in self.indicators:
            if name in INDICATORS:
                message = f"{name} is taken: agents tell that themselves"
                self.add_at_entry(findings, FindingKind.BAD_VALUE, "indicators", name, message)
            if re.fullmatch(INDICATOR_PATTERN, name) is None:
                message = f"{name!r} is no name of an indicator: small letters, digits and _, from a letter"
                self.add_at_entry(findings, FindingKind.BAD_VALUE, "indicators", name, message)
