"""Strategies for BGP messages that can be sent as they are."""

from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.model.community import ExtendedCommunity, LargeCommunity, StandardCommunity
from anycastle.model.prefix import Family, Prefix
from anycastle.wire.bgp import capability as caps
from anycastle.wire.bgp import flowspec as flow
from anycastle.wire.bgp.as_path import ASPath, Segment, SegmentKind
from anycastle.wire.bgp.attributes import Aggregator, Origin, PathAttributes, UnknownAttribute
from anycastle.wire.bgp.codec import CodecOptions
from anycastle.wire.bgp.message import Keepalive, Notification, Open, RouteRefresh, Update
from anycastle.wire.bgp.nlri import NLRI, MPReach, MPUnreach

BOTH = frozenset({(1, 1), (2, 1)})
octet = st.integers(0, 0xFF)
short = st.integers(0, 0xFFFF)
long = st.integers(0, 0xFFFFFFFF)
asns = st.one_of(st.integers(1, 0xFFFF), st.integers(1, 0xFFFFFFFF)).map(ASN)
addresses = long.map(IPv4Address)
hosts = st.integers(1, (224 << 24) - 1).map(IPv4Address)
addresses_v6 = st.integers(0, (1 << 128) - 1).map(IPv6Address)
safe_octets = st.binary(max_size=40)


@st.composite
def prefixes(draw: st.DrawFn, family: Family) -> Prefix:
    length = draw(st.integers(0, family.bits))
    return Prefix(family, draw(st.integers(0, (1 << length) - 1)) << (family.bits - length), length)


def routes(family: Family, *, add_path: bool) -> st.SearchStrategy[NLRI]:
    return st.builds(NLRI, prefixes(family), long if add_path else st.none())


def lists(values: st.SearchStrategy, size: int = 5, least: int = 0) -> st.SearchStrategy[tuple]:
    return st.lists(values, min_size=least, max_size=size).map(tuple)


segments = st.builds(Segment, st.sampled_from((SegmentKind.SEQUENCE, SegmentKind.SET)), lists(asns, 6, 1))
paths = lists(segments, 3).map(ASPath)
unknown = st.builds(UnknownAttribute, st.integers(36, 255), st.sampled_from((0x80, 0xA0, 0xC0, 0xE0)), safe_octets)


@st.composite
def flow_rules(draw: st.DrawFn, family: Family) -> flow.FlowRule:
    last = 12 if family is Family.IPV4 else 13
    kinds = sorted(draw(st.sets(st.integers(1, last).map(flow.ComponentKind), min_size=1)))
    return flow.FlowRule(tuple(draw(_component(kind, family)) for kind in kinds))


def _component(kind: flow.ComponentKind, family: Family) -> st.SearchStrategy[flow.Component]:
    values = st.integers(0, (1 << 64) - 1)
    if kind <= flow.ComponentKind.SOURCE:
        return st.builds(flow.PrefixComponent, st.just(kind), prefixes(family))
    if kind in (flow.ComponentKind.TCP_FLAGS, flow.ComponentKind.FRAGMENT):
        first = st.builds(flow.Bits, st.sampled_from(flow.BitTest), values)
        more = st.builds(flow.Bits, st.sampled_from(flow.BitTest), values, st.booleans())
        return st.builds(flow.BitmaskComponent, st.just(kind), st.tuples(first, more))
    one = st.builds(flow.Comparand, st.sampled_from(flow.Comparison), values)
    two = st.builds(flow.Comparand, st.sampled_from(flow.Comparison), values, st.booleans())
    return st.builds(flow.NumericComponent, st.just(kind), st.tuples(one, two))


def _reach(add_path: bool) -> st.SearchStrategy[MPReach]:
    v6 = lists(addresses_v6, 2, 1)
    return st.one_of(
        st.builds(MPReach, st.just(2), st.just(1), v6, lists(routes(Family.IPV6, add_path=add_path), 4, 1)),
        st.builds(MPReach, st.just(1), st.just(1), v6, lists(routes(Family.IPV4, add_path=add_path), 4, 1)),
        st.builds(
            MPReach,
            st.just(1),
            st.just(133),
            st.just(()),
            opaque=st.lists(flow_rules(Family.IPV4), min_size=1, max_size=2).map(flow.encode_flowspec),
        ),
        st.builds(MPReach, st.just(25), st.just(70), opaque=st.binary(min_size=1, max_size=20),
                  opaque_next_hop=st.binary(min_size=5, max_size=12)),
    )  # fmt: skip


def _unreach(add_path: bool) -> st.SearchStrategy[MPUnreach]:
    return st.one_of(
        st.builds(MPUnreach, st.just(2), st.just(1), lists(routes(Family.IPV6, add_path=add_path))),
        st.builds(MPUnreach, st.just(25), st.just(70), opaque=safe_octets),
    )


@st.composite
def attributes(draw: st.DrawFn, *, ibgp: bool, add_path: bool, four: bool) -> PathAttributes:
    large = st.builds(LargeCommunity, long, long, long)
    aggregator = st.builds(Aggregator, asns, addresses)
    path = draw(paths)
    others = {each.code: each for each in draw(st.lists(unknown, max_size=3))}
    if not four and any(asn > 0xFFFF for asn in path.asns):
        aggregator = aggregator.filter(lambda each: each.asn > 0xFFFF)  # else the path would be stale, §4.2.3
    return PathAttributes(
        origin=draw(st.sampled_from(Origin)),
        as_path=path,
        next_hop=draw(hosts),
        med=draw(st.none() | long),
        local_preference=draw(long) if ibgp else None,
        atomic_aggregate=draw(st.booleans()),
        aggregator=draw(st.none() | aggregator),
        communities=draw(lists(st.builds(StandardCommunity, short, short))),
        originator_id=draw(st.none() | addresses) if ibgp else None,
        cluster_list=draw(lists(addresses)) if ibgp else (),
        mp_reach=draw(st.none() | _reach(add_path)),
        mp_unreach=draw(st.none() | _unreach(add_path)),
        extended_communities=draw(lists(st.builds(ExtendedCommunity, st.integers(0, (1 << 64) - 1)))),
        large_communities=tuple(dict.fromkeys(draw(lists(large)))),
        only_to_customer=draw(st.none() | asns),
        unknown=tuple(others[code] for code in sorted(others)),
    )


@st.composite
def updates(draw: st.DrawFn) -> tuple[Update, CodecOptions]:
    four, ibgp, add_path = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    families = BOTH if add_path else frozenset()
    options = CodecOptions(four_octet_asn=four, ebgp=not ibgp, add_path_receive=families, add_path_send=families)
    v4 = lists(routes(Family.IPV4, add_path=add_path))
    if draw(st.booleans()):
        return Update(withdrawn=draw(v4)), options
    chosen = draw(attributes(ibgp=ibgp, add_path=add_path, four=four))
    return Update(draw(v4), chosen, draw(v4)), options


capabilities = st.one_of(
    st.builds(caps.MultiProtocol, short, octet),
    st.just(caps.RouteRefresh()),
    st.builds(caps.ExtendedNextHop, lists(st.tuples(short, short, short))),
    st.just(caps.ExtendedMessage()),
    st.builds(caps.Role, octet),
    st.builds(
        caps.GracefulRestart,
        st.integers(0, 4095),
        lists(st.builds(caps.RestartFamily, short, octet, st.booleans())),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(caps.FourOctetASN, asns),
    st.builds(
        caps.AddPath,
        lists(st.builds(caps.AddPathFamily, short, octet, st.sampled_from(list(map(caps.AddPathMode, (1, 2, 3)))))),
    ),
    st.just(caps.EnhancedRouteRefresh()),
    st.builds(caps.UnknownCapability, st.integers(100, 255), safe_octets),
)
opens = st.builds(
    Open,
    st.just(4),
    st.integers(1, 0xFFFF).map(ASN),
    st.just(0) | st.integers(3, 0xFFFF),
    st.integers(1, 0xFFFFFFFF).map(IPv4Address),
    st.lists(capabilities, max_size=20, unique=True).map(tuple),
)
others = st.one_of(
    opens,
    st.builds(Notification, octet, octet, st.binary(max_size=300)),
    st.just(Keepalive()),
    st.builds(RouteRefresh, short, octet, octet),
)
