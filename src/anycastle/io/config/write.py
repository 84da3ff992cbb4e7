"""A fleet -> the files of a fleet folder: the way back of `load`.

A fleet that was loaded, written and loaded again is the same fleet. What is a default is left out of the checks;
policies are written out per PoP and upstream.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from anycastle.io.config.folder import FLEET_FILE, POPS, SERVICES
from anycastle.io.config.units import format_duration
from anycastle.io.durable import write_durably
from anycastle.model.announcement import RouteAttributes
from anycastle.model.check import Check, CheckTarget, Severity
from anycastle.model.controller_access import ControllerAccess
from anycastle.model.fleet import Fleet
from anycastle.model.notify import Alertmanager, Mail, NotifyPlan, PagerDuty, Slack, Syslog, Target, Webhook
from anycastle.model.objective import Objective, format_share, format_window
from anycastle.model.pop import PoP
from anycastle.model.public_page import PublicPage
from anycastle.model.service import Lease, MaintenanceWindow, Policy, Service
from anycastle.model.upstream import Upstream
from anycastle.model.watch import PathRule, Settling, Thresholds, WatchPlan, WatchSession

Plain = dict[str, Any]


def fleet_files(fleet: Fleet) -> dict[str, str]:
    """Give the texts of the files by their paths in the folder."""
    counts_capacity = any(service.floor.capacity for service in fleet.services)
    files = {FLEET_FILE: yaml_text(_fleet(fleet))}
    files |= {f"{POPS}/{pop.name}.yaml": yaml_text(_pop(pop, counts_capacity)) for pop in fleet.pops}
    files |= {
        f"{SERVICES}/{service.name}.yaml": yaml_text(_service(service, fleet.objectives)) for service in fleet.services
    }
    return files


def write_fleet(fleet: Fleet, path: Path) -> None:
    """Write the folder, each file in one step. Raises `WorldError`. Files of PoPs that are no more stay."""
    for name, text in fleet_files(fleet).items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        write_durably(target, text.encode(), 0o644)


def yaml_text(value: Plain) -> str:
    """Give plain values as one YAML document."""
    stream = StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.allow_unicode = True
    yaml.width = 4096  # a query is one line
    yaml.dump(value, stream)
    return stream.getvalue()


def _given(value: Plain) -> Plain:
    """Give a mapping without what is not set."""
    return {key: each for key, each in value.items() if each is not None and each not in ({}, [])}


def _fleet(fleet: Fleet) -> Plain:
    shared = {str(prefix): when.value for prefix, when in fleet.shared_prefixes.items()}
    plain = {"name": fleet.name, "asn": int(fleet.asn), "regions": list(fleet.regions), "shared_prefixes": shared}
    parts = {"controller": _controller(fleet.controller), "watch": _watch(fleet.watch), "notify": _notify(fleet.notify)}
    return _given(plain | parts | {"status": _status(fleet.status)})


def _status(page: PublicPage) -> Plain:
    components = [
        _given(
            {"name": each.name, "service": each.service, "description": each.description or None,
             "detail": each.detail.value}
        )
        for each in page.components
    ]  # fmt: skip
    return _given({"name": page.name or None, "url": page.url or None, "components": components})


def _notify(plan: NotifyPlan) -> Plain:
    notifiers = [{"name": each.name, _NOTIFIERS[type(each.target)]: _notifier(each.target)} for each in plan.notifiers]
    routes = [
        _given({field.name: _listed(getattr(route, field.name)) for field in fields(route)}) for route in plan.routes
    ]
    clear_after = None if plan.clear_after_s is None else format_duration(plan.clear_after_s)
    plain = {"notifiers": notifiers, "routes": routes, "urgency": dict(plan.urgency), "clear_after": clear_after}
    return _given(plain)


_NOTIFIERS: Final[Mapping[type[Target], str]] = {
    Alertmanager: "alertmanager",
    PagerDuty: "pagerduty",
    Slack: "slack",
    Webhook: "webhook",
    Mail: "mail",
    Syslog: "syslog",
}


def _notifier(target: Target) -> Plain:
    return _given({field.name: _listed(getattr(target, field.name)) for field in fields(target)})


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _controller(access: ControllerAccess | None) -> Plain | None:
    if access is None:
        return None
    given = {field.name: getattr(access, field.name) for field in fields(access)}
    usual = {field.name: field.default for field in fields(access)}
    changed = {name: value for name, value in given.items() if value != usual[name]}
    return changed | {"addresses": list(access.addresses)}


def _watch(plan: WatchPlan) -> Plain:
    thresholds = plan.thresholds
    counts = {"peers": thresholds.peers, "asns": thresholds.asns, "collectors": thresholds.collectors}
    return _given(
        {
            "origins": [int(asn) for asn in plan.origins],
            "neighbours": [int(asn) for asn in plan.neighbours],
            "more_specifics": [
                _given(
                    {
                        "prefix": str(rule.prefix),
                        "longest": rule.longest,
                        "origins": [int(asn) for asn in rule.origins],
                        "through": [int(asn) for asn in rule.through],
                    }
                )
                for rule in plan.more_specifics
            ],
            "unannounced": [str(prefix) for prefix in plan.unannounced],
            "locked": [
                _given({"asn": int(each.asn), "behind": [int(asn) for asn in each.behind]}) for each in plan.locked
            ],
            "path_rules": [_path_rule(rule) for rule in plan.path_rules],
            "thresholds": None if thresholds == Thresholds() else counts,
            "settling": None if plan.settling == Settling() else _settling(plan.settling),
            "sessions": [_session(session) for session in plan.sessions],
            "regions": [
                _given({"name": each.name, "collectors": [*each.collectors], "asns": [int(asn) for asn in each.asns]})
                for each in plan.regions
            ],
        }
    )


def _settling(settling: Settling) -> Plain:
    spans = {"quiet": settling.quiet_s, "horizon": settling.horizon_s, "toggle": settling.toggle_s}
    return {name: format_duration(seconds) for name, seconds in spans.items()}


def _session(session: WatchSession) -> Plain:
    return _given(
        {
            "neighbour": str(session.neighbour),
            "asn": int(session.asn),
            "port": session.port,
            "local_asn": None if session.local_asn is None else int(session.local_asn),
            "families": [str(family) for family in session.families],
            "add_path": session.add_path,
            "hold_time": f"{session.hold_time_s}s",
            "passive": session.passive,
            "route_server": session.route_server,
            "password_file": session.password_file,
            "ttl_security_hops": session.ttl_security_hops,
            "max_prefixes": session.max_prefixes,
        }
    )


def _path_rule(rule: PathRule) -> Plain:
    lengths = {"shortest": rule.shortest, "longest": rule.longest}
    return _given({"match": rule.match, "unless": rule.unless, **lengths, "reason": rule.reason or None})


def _pop(pop: PoP, counts_capacity: bool) -> Plain:
    router = {
        "driver": pop.router.driver,
        "router_id": str(pop.router.router_id),
        "options": dict(pop.router.options),
    }
    return _given(
        {
            "name": pop.name,
            "city": pop.city,
            "location": {"latitude": pop.location.latitude, "longitude": pop.location.longitude},
            "region": pop.region,
            "router": _given(router),
            "capacity": _capacity(pop.capacity) if counts_capacity or pop.capacity != 1.0 else None,
            "upstreams": [_upstream(upstream) for upstream in pop.upstreams],
        }
    )


def _upstream(upstream: Upstream) -> Plain:
    neighbours = [
        _given(
            {
                "address": str(each.address),
                "local_address": None if each.local_address is None else str(each.local_address),
                "port": each.port,
            }
        )
        for each in upstream.neighbours
    ]
    return _given(
        {
            "name": upstream.name,
            "kind": upstream.kind.value,
            "asn": int(upstream.asn),
            "neighbours": neighbours,
            "vocabulary": {word: str(community) for word, community in upstream.vocabulary.items()},
            "capacity": None if upstream.capacity_bps is None else _capacity(upstream.capacity_bps),
            "hold_time": f"{upstream.hold_time_s}s",
            "password_file": upstream.password_file,
            "ttl_security_hops": upstream.ttl_security_hops,
            "bfd": upstream.bfd,
            "max_prefixes": upstream.max_prefixes,
            "takes_prefixes": upstream.takes_prefixes,
        }
    )


def _capacity(value: float) -> str:
    return f"{(Decimal(repr(value)) / 1000).normalize():f}k"


def _objective(objective: Objective) -> Plain:
    threshold = None if objective.threshold_ms is None else format_duration(objective.threshold_ms / 1000)
    return _given(
        {
            "name": objective.name,
            "indicator": objective.indicator,
            "target": format_share(objective.target),
            "threshold": threshold,
            "window": format_window(objective.window),
            "by_region": objective.by_region,
            "maintenance": objective.maintenance.value,
            "convergence": format_duration(objective.convergence_s),
            "minimum_events": None if objective.minimum_events is None else int(objective.minimum_events),
        }
    )


def _service(service: Service, objectives: tuple[Objective, ...]) -> Plain:
    dampening, slow = service.dampening, service.slow_start
    plain: Plain = {
        "name": service.name,
        "prefixes": [str(prefix) for prefix in service.prefixes],
        "mitigations": [str(prefix) for prefix in service.mitigations],
        "addresses": [str(address) for address in service.addresses],
        "pops": list(service.pops),
        "checks": [_check(check) for check in service.checks],
        "quorum": _quorum(service),
        "announcement": {"pops": _policies(service.policies)},
        "floor": _floor(service),
        "on_exit": service.on_exit.value,
        "when_alone": service.when_alone.value,
        "lease": _lease(service.lease),
        "dampening": {
            "penalty": dampening.penalty,
            "suppress": dampening.suppress,
            "reuse": dampening.reuse,
            "half_life": format_duration(dampening.half_life_s),
            "max_suppress": format_duration(dampening.max_suppress_s),
        },
        "maintenance": [_window(window) for window in service.windows],
        "objectives": [_objective(each) for each in objectives if each.service == service.name],
        "manage_addresses": service.manage_addresses,
    }
    if slow.duration_s:
        plain["slow_start"] = {"duration": format_duration(slow.duration_s)} | _attributes(slow.attributes)
    return _given(plain)


def _quorum(service: Service) -> str:
    if service.quorum.need is None:
        return "all"
    hard = sum(check.severity is Severity.HARD for check in service.checks)
    return f"{service.quorum.need} of {hard}"


def _floor(service: Service) -> Plain:
    floor = service.floor
    capacity = _capacity(floor.capacity) if floor.capacity else None
    return _given({"pops": floor.pops, "capacity": capacity, "allow_no_floor": None if floor.pops else True})


def _lease(lease: Lease) -> Plain:
    hold = None if lease.hold_s == Lease().hold_s else format_duration(lease.hold_s)
    return _given({"end": lease.end.value, "duration": format_duration(lease.duration_s), "hold": hold})


def _window(window: MaintenanceWindow) -> Plain:
    start, end = (datetime.fromtimestamp(at, UTC).isoformat() for at in (window.start, window.end))
    return {"start": start, "end": end, "pops": list(window.pops), "reason": window.reason}


def _policies(policies: Mapping[tuple[str, str], Policy]) -> Plain:
    pops: dict[str, dict[str, Plain]] = {}
    for (pop, upstream), policy in policies.items():
        pops.setdefault(pop, {})[upstream] = _policy(policy)
    return {pop: {"upstreams": upstreams} for pop, upstreams in pops.items()}


def _policy(policy: Policy) -> Plain:
    if not policy.announce:
        return {"announce": False}
    usual, steered = policy.attributes, policy.steered
    # In the files, communities of `steered` are added to the usual ones; so only what is added is written.
    added = steered.communities - usual.communities
    changed = RouteAttributes(steered.prepend, steered.med, steered.local_preference, frozenset(added))
    return {"announce": True} | _attributes(usual) | {"steered": _attributes(changed)}


def _attributes(attributes: RouteAttributes) -> Plain:
    return _given(
        {
            "prepend": attributes.prepend,
            "med": attributes.med,
            "local_preference": attributes.local_preference,
            "communities": sorted(str(community) for community in attributes.communities),
        }
    )


def _check(check: Check) -> Plain:
    return {
        "name": check.name,
        check.target.kind: _target(check.target),
        "severity": check.severity.value,
        "interval": format_duration(check.interval_s),
        "timeout": format_duration(check.timeout_s),
        "rise": check.rise,
        "fall": check.fall,
        "confirm_interval": format_duration(check.confirm_interval_s),
    }


def _target(target: CheckTarget) -> Plain:
    plain: Plain = {}
    for each in fields(target):
        value = getattr(target, each.name)
        if each.init and not (each.default is not MISSING and value == each.default):
            key, written = _target_field(each.name, value)
            plain[key] = written
    return plain


def _target_field(name: str, value: Any) -> tuple[str, Any]:
    if name == "headers":
        return name, dict(value)
    if name == "expect_header":
        return name, {"name": value[0], "value": value[1]}
    if name == "max_age_s":
        return "max_age", format_duration(value)
    if isinstance(value, bytes):
        return f"{name}_hex", value.hex()
    if isinstance(value, tuple):
        return name, list(value)
    return name, value if isinstance(value, bool | int | float | str) and not isinstance(value, Enum) else str(value)
