"""All indicators in one table, by name."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from anycastle.slo.indicators import (
    m01_edge_latency,
    m02_convergence,
    m03_routing_success,
    m04_visibility,
    m05_client_errors,
    m06_session_disruption,
    m07_cache_hits,
    m08_scrubbed,
    m09_check_fidelity,
    m10_policy_compliance,
)
from anycastle.slo.indicators.indicator import Indicator

INDICATORS: Final[Mapping[str, Indicator]] = MappingProxyType(
    {
        module.INDICATOR.name: module.INDICATOR
        for module in (
            m01_edge_latency,
            m02_convergence,
            m03_routing_success,
            m04_visibility,
            m05_client_errors,
            m06_session_disruption,
            m07_cache_hits,
            m08_scrubbed,
            m09_check_fidelity,
            m10_policy_compliance,
        )
    }
)
"""M1 to M10."""
