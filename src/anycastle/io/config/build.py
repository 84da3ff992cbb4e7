"""Shapes without errors -> values of `anycastle.model`."""

from anycastle.io.config.policies import Policies
from anycastle.io.config.shapes.controller import ControllerShape
from anycastle.io.config.shapes.fleet import FleetShape
from anycastle.io.config.shapes.pop import PoPShape, UpstreamShape
from anycastle.io.config.shapes.service import ServiceShape
from anycastle.io.config.shapes.watch import SessionShape, WatchShape
from anycastle.model.announcement import RouteAttributes
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.fleet import Fleet, SharedPrefix
from anycastle.model.notify import NotifyPlan
from anycastle.model.objective import Objective
from anycastle.model.pop import Location, PoP, Router
from anycastle.model.prefix import Prefix
from anycastle.model.public_page import NOTHING_PUBLIC
from anycastle.model.service import Dampening, Floor, Lease, MaintenanceWindow, Quorum, Service, SlowStart
from anycastle.model.upstream import Neighbour, Upstream
from anycastle.model.watch import (
    LockedASN,
    MoreSpecificRule,
    PathRule,
    Region,
    Settling,
    Thresholds,
    WatchPlan,
    WatchSession,
)


def build_fleet(
    shape: FleetShape,
    pops: tuple[PoP, ...],
    services: tuple[Service, ...],
    shared: dict[Prefix, SharedPrefix],
    objectives: tuple[Objective, ...] = (),
) -> Fleet:
    """Give the fleet."""
    regions = tuple(region.value for region in shape.regions)
    watch, controller = _watch(shape.watch), _controller(shape.controller)
    notify = NotifyPlan() if shape.notify is None else shape.notify.plan()
    status = NOTHING_PUBLIC if shape.status is None else shape.status.page()
    return Fleet(shape.name, shape.asn, regions, pops, services, shared, watch, controller, objectives, notify, status)


def _controller(shape: ControllerShape | None) -> ControllerAccess | None:
    if shape is None:
        return None
    addresses = tuple(placed.value for placed in shape.addresses)
    return ControllerAccess(addresses, shape.ca, shape.certificate, shape.key)


def build_objectives(shape: ServiceShape) -> tuple[Objective, ...]:
    """Give the objectives of a service."""
    return tuple(
        Objective(
            name=each.name,
            service=shape.name,
            indicator=each.indicator,
            target=each.target,
            threshold_ms=None if each.threshold is None else each.threshold * 1000,
            window=each.window,
            by_region=each.by_region,
            maintenance=each.maintenance,
            convergence_s=each.convergence,
            minimum_events=None if each.minimum_events is None else float(each.minimum_events),
        )
        for each in shape.objectives or ()
    )


def _watch(shape: WatchShape | None) -> WatchPlan:
    if shape is None:
        return WatchPlan()
    thresholds, settling = shape.thresholds, shape.settling
    return WatchPlan(
        origins=shape.origins or (),
        neighbours=shape.neighbours or (),
        more_specifics=tuple(
            MoreSpecificRule(rule.prefix.value, rule.longest, rule.origins or (), rule.through or ())
            for rule in shape.more_specifics or ()
        ),
        unannounced=tuple(placed.value for placed in shape.unannounced or ()),
        locked=tuple(LockedASN(locked.asn, locked.behind or ()) for locked in shape.locked or ()),
        path_rules=tuple(
            PathRule(rule.match, rule.unless, rule.shortest, rule.longest, rule.reason or "")
            for rule in shape.path_rules or ()
        ),
        thresholds=Thresholds(thresholds.peers, thresholds.asns, thresholds.collectors) if thresholds else Thresholds(),
        settling=Settling(settling.quiet, settling.horizon, settling.toggle) if settling else Settling(),
        sessions=tuple(_session(session) for session in shape.sessions or ()),
        regions=tuple(
            Region(region.name, region.collectors or (), region.asns or ()) for region in shape.regions or ()
        ),
    )


def _session(shape: SessionShape) -> WatchSession:
    return WatchSession(
        neighbour=shape.neighbour,
        asn=shape.asn,
        port=shape.port,
        local_asn=shape.local_asn,
        families=tuple(dict.fromkeys(shape.families)),
        add_path=shape.add_path,
        hold_time_s=shape.hold_time,
        passive=shape.passive,
        route_server=shape.route_server,
        password_file=shape.password_file,
        ttl_security_hops=shape.ttl_security_hops,
        max_prefixes=shape.max_prefixes,
    )


def build_pop(shape: PoPShape) -> PoP:
    """Give a PoP."""
    return PoP(
        name=shape.name,
        city=shape.city,
        location=Location(shape.location.latitude, shape.location.longitude),
        region=shape.region,
        router=Router(
            driver=shape.router.driver,
            router_id=shape.router.router_id,
            options=dict(shape.router.options or {}),
        ),
        upstreams=tuple(_upstream(upstream) for upstream in shape.upstreams),
        **({} if shape.capacity is None else {"capacity": shape.capacity}),
    )


def _upstream(shape: UpstreamShape) -> Upstream:
    return Upstream(
        name=shape.name,
        kind=shape.kind,
        asn=shape.asn,
        neighbours=tuple(Neighbour(each.address, each.local_address, each.port) for each in shape.neighbours),
        vocabulary=dict(shape.vocabulary or {}),
        capacity_bps=shape.capacity,
        hold_time_s=shape.hold_time,
        password_file=shape.password_file,
        ttl_security_hops=shape.ttl_security_hops,
        bfd=shape.bfd,
        max_prefixes=shape.max_prefixes,
        takes_prefixes=shape.takes_prefixes,
    )


def build_service(shape: ServiceShape, pops: tuple[str, ...], policies: Policies) -> Service:
    """Give a service; `pops` and `policies` are complete."""
    return Service(
        name=shape.name,
        prefixes=tuple(placed.value for placed in shape.prefixes),
        addresses=tuple(placed.value for placed in shape.addresses),
        pops=pops,
        checks=tuple(check.check() for check in shape.checks),
        quorum=Quorum(shape.quorum.need),
        policies=dict(policies),
        floor=Floor(shape.floor.pops, shape.floor.capacity or 0.0) if shape.floor else Floor(),
        on_exit=shape.on_exit,
        when_alone=shape.when_alone,
        lease=Lease(shape.lease.end, shape.lease.duration, shape.lease.hold) if shape.lease else Lease(),
        dampening=_dampening(shape),
        slow_start=_slow_start(shape),
        windows=tuple(
            MaintenanceWindow(
                start=window.start,
                end=window.end,
                pops=pops if window.pops is None else tuple(placed.value for placed in window.pops),
                reason=window.reason,
            )
            for window in shape.maintenance or ()
        ),
        mitigations=tuple(placed.value for placed in shape.mitigations or ()),
        manage_addresses=shape.manage_addresses,
    )


def _dampening(shape: ServiceShape) -> Dampening:
    written = shape.dampening
    if written is None:
        return Dampening()
    return Dampening(written.penalty, written.suppress, written.reuse, written.half_life, written.max_suppress)


def _slow_start(shape: ServiceShape) -> SlowStart:
    written = shape.slow_start
    if written is None:
        return SlowStart()
    attributes = RouteAttributes(
        written.prepend, written.med, written.local_preference, frozenset(written.communities or ())
    )
    return SlowStart(written.duration, attributes)
