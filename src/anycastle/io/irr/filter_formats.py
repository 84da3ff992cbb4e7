"""The routers that prefix filters are written for."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from anycastle.io.irr.filter_bird import bird_filter
from anycastle.io.irr.filter_frr import frr_filter
from anycastle.watch.irr.prefix_filter import PrefixFilter

FILTER_FORMATS: Final[Mapping[str, Callable[[PrefixFilter], Iterator[str]]]] = MappingProxyType(
    {"bird": bird_filter, "frr": frr_filter}
)
"""Router -> the lines of a filter in its configuration."""

COMMENTS: Final[Mapping[str, str]] = MappingProxyType({"bird": "#", "frr": "!"})
"""What a remark begins with."""
