"""Reads a prober's file."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from anycastle.base.errors import MisuseError
from anycastle.io.config.document import read_document
from anycastle.io.config.findings import FindingKind, Findings, Severity, did_you_mean
from anycastle.io.config.limits import FILE_BYTES_MAX
from anycastle.io.config.shape import read_shape
from anycastle.io.config.shapes.probe import TIMEOUT_DEFAULT_S, ProberShape, TargetShape
from anycastle.io.whole_file import read_whole
from anycastle.model.pop import Location
from anycastle.model.vantage_point import VantagePoint
from anycastle.probe.site import SiteRule
from anycastle.probe.target import PORTLESS, Ask, ProbeTarget, default_port, over_udp, timeout_s_min


@dataclass(frozen=True, slots=True)
class ProberFile:
    """What a prober's file says."""

    vantage: VantagePoint
    modules: Mapping[str, Ask]
    targets: tuple[ProbeTarget, ...]
    under_way_max: int
    site: SiteRule | None


def read_prober_file(path: Path) -> ProberFile:
    """Read a file. Raises what `read_whole` does, and `MisuseError` with every finding."""
    findings = Findings()
    root = read_document(str(path), read_whole(path, FILE_BYTES_MAX), findings)
    shape = read_shape(ProberShape, root, findings) if root is not None else None
    modules = _modules(shape, findings) if shape is not None else {}
    targets = [_target(each, shape, modules, findings) for each in shape.targets or ()] if shape is not None else []
    if findings.errors or shape is None:
        errors = [str(finding) for finding in findings.sorted() if finding.severity is Severity.ERROR]
        raise MisuseError("the prober's file cannot be used:\n" + "\n".join(errors))
    place = None if shape.location is None else Location(shape.location.latitude, shape.location.longitude)
    vantage = VantagePoint(shape.name, shape.asn, place, shape.country or "")
    found = tuple(each for each in targets if each is not None)
    return ProberFile(vantage, modules, found, shape.under_way, shape.sites.rule() if shape.sites else None)


def _modules(shape: ProberShape, findings: Findings) -> dict[str, Ask]:
    modules: dict[str, Ask] = {}
    for each in shape.modules:
        if each.name in modules:
            each.add(findings, FindingKind.DUPLICATE_NAME, "name", f"two modules are named {each.name}")
        elif each.sound:
            modules[each.name] = each.ask()
    names = [each.name for each in shape.targets or ()]
    for target in shape.targets or ():
        if names.count(target.name) > 1:
            target.add(findings, FindingKind.DUPLICATE_NAME, "name", f"two targets are named {target.name}")
    return modules


def _target(
    shape: TargetShape, file: ProberShape, modules: Mapping[str, Ask], findings: Findings
) -> ProbeTarget | None:
    known = [each.name for each in file.modules]
    if shape.module.value not in known:
        name = shape.module.value
        message = f"there is no module {name!r}{did_you_mean(name, known)}; there are: {', '.join(known)}"
        shape.add(findings, FindingKind.BAD_VALUE, "module", message)
    if shape.module.value not in modules:
        return None  # a finding stands already
    ask = modules[shape.module.value]
    _review_ports(shape, ask, findings)
    timeout_s = _timeout_s(shape, ask, findings)
    sites = shape.sites or file.sites
    return ProbeTarget(
        name=shape.name,
        host=shape.host,
        port=shape.port or default_port(ask),
        ask=ask,
        interval_s=shape.interval,
        timeout_s=timeout_s,
        source_port=shape.source_port or 0,
        site=sites.rule() if sites else None,
    )


def _timeout_s(shape: TargetShape, ask: Ask, findings: Findings) -> float:
    least_s = timeout_s_min(ask)
    timeout_s = min(max(TIMEOUT_DEFAULT_S, least_s), shape.interval) if shape.timeout is None else shape.timeout
    if timeout_s < least_s:
        message = f"a {ask.kind} takes up to {least_s:g}s, which is more than {timeout_s:g}s"
        shape.add(findings, FindingKind.TIMING, "interval" if shape.timeout is None else "timeout", message)
    return timeout_s


def _review_ports(shape: TargetShape, ask: Ask, findings: Findings) -> None:
    if ask.kind in PORTLESS and shape.port is not None:
        shape.add(findings, FindingKind.BAD_VALUE, "port", f"{ask.kind} has no ports")
    if ask.kind not in PORTLESS and not (shape.port or default_port(ask)):
        shape.add(findings, FindingKind.MISSING_KEY, "port", f"{ask.kind} has no port of its own: name one")
    if shape.source_port is not None and not over_udp(ask):
        shape.add(findings, FindingKind.BAD_VALUE, "source_port", "only probes over UDP ask from one port")
