"""All detectors, in one table each; a new one is a file, a line here, a test and a page."""

from typing import Final

from anycastle.watch.detectors import origin_change, squatting, sub_prefix
from anycastle.watch.detectors.contract import PrefixDetector, RouteDetector

ROUTE_DETECTORS: Final[tuple[RouteDetector, ...]] = (
    origin_change.DETECTOR,
    sub_prefix.DETECTOR,
    squatting.DETECTOR,
)
"""Asked of every route that concerns us."""

PREFIX_DETECTORS: Final[tuple[PrefixDetector, ...]] = ()
"""Asked of every watched prefix after it changed, and then each minute while anything goes on."""
