"""All detectors, in one table each; a new one is a file, a line here, a test and a page."""

from typing import Final

from anycastle.watch.detectors import (
    flap,
    forged_path,
    locked_asn,
    origin_change,
    path_change,
    path_poisoning,
    path_rule,
    policy,
    private_asn,
    roa_expiry,
    route_leak,
    rpki_change,
    squatting,
    stuck_route,
    sub_prefix,
    visibility,
)
from anycastle.watch.detectors.contract import PrefixDetector, RouteDetector

ROUTE_DETECTORS: Final[tuple[RouteDetector, ...]] = (
    origin_change.DETECTOR,
    sub_prefix.DETECTOR,
    squatting.DETECTOR,
    forged_path.DETECTOR,
    locked_asn.DETECTOR,
    route_leak.DETECTOR,
    path_rule.DETECTOR,
    path_poisoning.DETECTOR,
    private_asn.DETECTOR,
)
"""Asked of every route that concerns us."""

PREFIX_DETECTORS: Final[tuple[PrefixDetector, ...]] = (
    visibility.DETECTOR,
    path_change.DETECTOR,
    flap.DETECTOR,
    stuck_route.DETECTOR,
    policy.DETECTOR,
    rpki_change.DETECTOR,
    roa_expiry.DETECTOR,
)
"""Asked of every watched prefix after it changed, and then each minute while anything goes on."""
