"""Every path attribute that is known here, in one place."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from anycastle.wire.bgp import (
    attr_01_origin,
    attr_02_as_path,
    attr_03_next_hop,
    attr_04_multi_exit_disc,
    attr_05_local_pref,
    attr_06_atomic_aggregate,
    attr_07_aggregator,
    attr_08_communities,
    attr_09_originator_id,
    attr_10_cluster_list,
    attr_14_mp_reach_nlri,
    attr_15_mp_unreach_nlri,
    attr_16_extended_communities,
    attr_17_as4_path,
    attr_18_as4_aggregator,
    attr_32_large_communities,
    attr_35_only_to_customer,
)
from anycastle.wire.bgp.attribute_codec import AttributeCodec

ATTRIBUTES: Final[tuple[AttributeCodec[Any], ...]] = (
    attr_01_origin.CODEC,
    attr_02_as_path.CODEC,
    attr_03_next_hop.CODEC,
    attr_04_multi_exit_disc.CODEC,
    attr_05_local_pref.CODEC,
    attr_06_atomic_aggregate.CODEC,
    attr_07_aggregator.CODEC,
    attr_08_communities.CODEC,
    attr_09_originator_id.CODEC,
    attr_10_cluster_list.CODEC,
    attr_14_mp_reach_nlri.CODEC,
    attr_15_mp_unreach_nlri.CODEC,
    attr_16_extended_communities.CODEC,
    attr_17_as4_path.CODEC,
    attr_18_as4_aggregator.CODEC,
    attr_32_large_communities.CODEC,
    attr_35_only_to_customer.CODEC,
)
"""In the order of their type codes (RFC 4271 §5)."""

BY_CODE: Final[Mapping[int, AttributeCodec[Any]]] = MappingProxyType({codec.code: codec for codec in ATTRIBUTES})
