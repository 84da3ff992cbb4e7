"""Against a hijack: the approved more-specifics of what is hijacked, announced beside it until somebody ends that.

Routers prefer the longer prefix, so traffic follows whoever announces the more-specific: it is announced wherever its
service is, as the service is, and goes with it. What may be announced stands in the files, as `mitigations`.

A revision with mitigations is named by the files' revision and what is announced beside them, such as
`4f0c...+192.0.2.0/24`. So a mitigation is rolled out, approved and taken back as all else is, and each of these
revisions can be made anew from the files alone.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.fleet import Fleet
from anycastle.model.prefix import Prefix, parse_prefix
from anycastle.model.rpki import Validity
from anycastle.model.service import Service
from anycastle.rollout.desired import DefinitionKey, Desired
from anycastle.rollout.orders import Mitigate
from anycastle.rollout.rollout import Rollout

_AND: Final = "+"


def base_of(revision: str) -> str:
    """Give the revision of the files alone."""
    return revision.partition(_AND)[0]


def active_in(revision: str) -> frozenset[Prefix]:
    """Give the mitigations that a revision has beside its files. Raises `ParseError`."""
    return frozenset(map(parse_prefix, revision.split(_AND)[1:]))


def active(desired: Desired) -> frozenset[Prefix]:
    """Give the mitigations that are desired anywhere."""
    return frozenset().union(*map(active_in, desired.revisions))


def with_active(revision: str, prefixes: Collection[Prefix]) -> str:
    """Give the revision of the same files with these mitigations, and no others."""
    return _AND.join((base_of(revision), *map(str, sorted(prefixes))))


def mitigated(fleet: Fleet, prefixes: Collection[Prefix]) -> Fleet:
    """Give a fleet that announces mitigations as well. Raises `MisuseError` for one that its files do not approve."""
    strange = sorted(set(prefixes).difference(*(service.mitigations for service in fleet.services)))
    if strange:
        told = _listed(strange)
        raise MisuseError(f"{told} is announced against a hijack, and these files do not approve of it: end that first")
    services = (
        replace(service, prefixes=(*service.prefixes, *(each for each in service.mitigations if each in prefixes)))
        for service in fleet.services
    )
    return replace(fleet, services=tuple(services))


def target(fleet: Fleet, desired: Desired, wish: Mitigate, validity: Callable[[Prefix], Validity]) -> str:
    """Give the revision that a mitigation leads to, or its end; `fleet` is what is desired.

    Raises `MisuseError`: there is nothing of ours, nothing is approved, a ROA lacks, or nothing is there to be ended.
    """
    concerned = [service for service in fleet.services if any(each.overlaps(wish.prefix) for each in service.prefixes)]
    if not concerned:
        raise MisuseError(f"no service announces {wish.prefix}, or a prefix around it")
    now = desired.of(DefinitionKey(concerned[0].pops[0], concerned[0].name))
    before = active_in(now)
    if not wish.end:
        return with_active(now, before | _against(fleet, concerned, wish.prefix, validity))
    ended = frozenset(each for each in before if wish.prefix.contains(each))
    if not ended:
        raise MisuseError(f"nothing is announced against a hijack of {wish.prefix}")
    return with_active(now, before - ended)


def mitigations_of(rollout: Rollout) -> frozenset[Prefix]:
    """Give the mitigations that a rollout begins or ends."""
    after = active_in(rollout.revision)
    return frozenset().union(*(after ^ active_in(before) for before in {*rollout.before.values()}))


def _against(
    fleet: Fleet, concerned: Iterable[Service], hijacked: Prefix, validity: Callable[[Prefix], Validity]
) -> frozenset[Prefix]:
    approved = [each for service in concerned for each in service.mitigations]
    found = frozenset(each for each in approved if hijacked.contains(each))
    if not found:
        told = f"approved are {_listed(approved)}" if approved else "its service lists none under `mitigations`"
        raise MisuseError(f"no approved more-specific is within {hijacked}: {told}")
    said = {each: validity(each) for each in sorted(found)}
    if Validity.UNKNOWN in said.values():
        raise MisuseError("no RPKI data are here yet, and what no ROA covers is not announced against a hijack")
    unsigned = [each for each, valid in said.items() if valid is not Validity.VALID]
    if unsigned:
        raise MisuseError(f"{_listed(unsigned)}: no ROA makes it valid from AS{fleet.asn}, so networks would drop it")
    return found


def share_won(hijacked: Prefix, announced: Iterable[Prefix]) -> float:
    """Give the part of a prefix that more-specifics of it cover, from 0 to 1."""
    outermost: list[Prefix] = []
    for each in sorted(announced):
        if hijacked.contains(each) and not any(other.contains(each) for other in outermost):
            outermost.append(each)
    return sum(2.0 ** (hijacked.length - each.length) for each in outermost)


def _listed(prefixes: Iterable[Prefix]) -> str:
    return ", ".join(map(str, prefixes))
