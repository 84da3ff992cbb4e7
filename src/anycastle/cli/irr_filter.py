"""`anycastle irr filter`: prefix filters for routers, made of as-sets."""

import asyncio
import re
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import WorldError
from anycastle.cli.irr_registry import members_of, opened, place_of, registry_options, sources_of
from anycastle.cli.output import counted, message, print_json, print_ndjson
from anycastle.model.irr import Member, format_member
from anycastle.model.prefix import Family

if TYPE_CHECKING:
    from anycastle.io.irr.expand import Originated
    from anycastle.io.irr.server_registry import Server
    from anycastle.watch.irr.expansion import Expanded
    from anycastle.watch.irr.prefix_filter import PrefixFilter

FAMILIES = {"ipv4": (Family.IPV4,), "ipv6": (Family.IPV6,), "both": (Family.IPV4, Family.IPV6)}
NAMES_TOLD = 10
"""Names that a warning lists before it says how many more there are."""


@click.command("filter")
@click.argument("as_sets", nargs=-1, required=True, metavar="AS-SET...")
@registry_options
@click.option(
    "-o", "--output", "form", type=click.Choice(["bird", "frr", "json", "ndjson"]), default="bird", show_default=True,
    help="What the filter is for.",
)  # fmt: skip
@click.option("--family", type=click.Choice(list(FAMILIES)), default="both", show_default=True, help="Which prefixes.")
@click.option(
    "--max-length", metavar="N[,N]",
    help="Let more-specifics pass up to this length, and nothing longer; for both families as 24,48. "
    "[default: just what is registered]",
)  # fmt: skip
@click.option("--name", help="What the filter is called, before _v4 and _v6. [default: by the as-set]")
@click.option("--by-server", is_flag=True, help="Let the server expand the sets: faster, and blind to what is missing.")
def filter_(
    as_sets: tuple[str, ...],
    servers: tuple[str, ...],
    file: str | None,
    sources: tuple[str, ...],
    form: str,
    family: str,
    max_length: str | None,
    name: str | None,
    *,
    by_server: bool,
) -> None:
    """Make prefix filters of as-sets (or ASNs), with a suggested limit of prefixes.

    \b
    anycastle irr filter AS64500:AS-ALL --server rr.example.net > as-all.conf
    anycastle irr filter RIPE::AS-EXAMPLE -o frr --family ipv6 --max-length 48
    anycastle irr filter AS-EXAMPLE --file ripe.db.gz -o json

    Nothing is written where the answer is not whole, or where it holds no prefix at all. Sets that are named and not
    there are told on standard error.
    """
    from anycastle.watch.irr.prefix_filter import prefix_filter, symbol

    roots, families = members_of(as_sets, "AS-SET"), FAMILIES[family]
    lengths = _max_lengths(max_length, families)
    called = _name(name or symbol(roots))
    where, file = place_of(servers, file)
    expanded, found = asyncio.run(_gather(roots, where, file, sources_of(sources), families, by_server=by_server))
    _warn(expanded, found)
    if not found.prefixes:
        raise WorldError(f"{' '.join(as_sets)}: no prefix is registered; a filter would refuse everything")
    filters = [
        prefix_filter(f"{called}_v{4 if each is Family.IPV4 else 6}", each, found.prefixes, lengths.get(each))
        for each in families
    ]
    if not any(each.ranges for each in filters):
        raise WorldError(f"{' '.join(as_sets)}: every prefix is longer than --max-length; nothing would pass")
    match form:
        case "json":
            print_json(_whole(roots, expanded, found, filters))
        case "ndjson":
            print_ndjson(entry for each in filters for entry in _entries(each))
        case _:
            _print_config(form, as_sets, expanded, filters)


async def _gather(
    roots: tuple[Member, ...],
    servers: "tuple[Server, ...]",
    file: str | None,
    sources: tuple[str, ...],
    families: tuple[Family, ...],
    *,
    by_server: bool,
) -> "tuple[Expanded, Originated]":
    from anycastle.io.irr.expand import expand, expand_by_server, originated

    async with opened(servers, file, sources) as registry:
        expanded = await (expand_by_server(registry, roots) if by_server else expand(registry, roots))
        if expanded.incomplete:
            raise WorldError("the answer is not whole: " + "; ".join(expanded.incomplete[:NAMES_TOLD]))
        if expanded.sets:
            message(_size(expanded))
        return expanded, await originated(registry, expanded.asns, families)


def _max_lengths(text: str | None, families: tuple[Family, ...]) -> dict[Family, int]:
    if text is None:
        return {}
    parts = text.split(",")
    if len(parts) != len(families) or not all(
        part.isascii() and part.isdigit() and len(part) <= 3 and int(part) <= family.bits
        for part, family in zip(parts, families, strict=True)
    ):
        wanted = "one length a family, such as 24,48" if len(families) > 1 else f"a length, such as {parts[0] or 24}"
        raise click.BadParameter(f"{text!r} is not {wanted}", param_hint="--max-length")
    return dict(zip(families, map(int, parts), strict=True))


def _name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,59}", name):
        raise click.BadParameter(f"{name!r} is no name that routers take: letters, digits and _, 60 at most; "
                                 "give another", param_hint="--name")  # fmt: skip
    return name


def _warn(expanded: "Expanded", found: "Originated") -> None:
    missing = [str(name) for name in expanded.missing]
    for what, names in (
        ("named as members, and not registered", missing),
        ("neither ASNs nor as-sets, passed over", list(expanded.unreadable)),
        ("no prefixes, passed over", list(found.unreadable)),
        ("without a route object", [f"AS{asn}" for asn in found.silent]),
    ):
        if names:
            more = f" and {len(names) - NAMES_TOLD} more" if len(names) > NAMES_TOLD else ""
            message(f"{what}: {', '.join(names[:NAMES_TOLD])}{more}", severity="warning")


def _entries(each: "PrefixFilter") -> list[dict[str, Any]]:
    return [
        {"family": str(each.family), "prefix": str(one.prefix), "ge": one.shortest, "le": one.longest}
        for one in each.ranges
    ]


def _whole(
    roots: tuple[Member, ...], expanded: "Expanded", found: "Originated", filters: "list[PrefixFilter]"
) -> dict[str, Any]:
    return {
        "of": [format_member(root) for root in roots],
        "asns": sorted(expanded.asns),
        "sets": sorted(map(str, expanded.sets)),
        "missing": [str(name) for name in expanded.missing],
        "loops": [str(name) for name in expanded.loops],
        "unreadable": [*expanded.unreadable, *found.unreadable],
        "without_routes": list(found.silent),
        "filters": [
            {
                "name": each.name,
                "family": str(each.family),
                "registered": each.registered,
                "left_out": each.left_out,
                "max_prefix": each.max_prefix,
                "entries": _entries(each),
            }
            for each in filters
        ],
    }


def _size(expanded: "Expanded") -> str:
    return f"{counted(len(expanded.asns), 'ASN')} in {counted(len(expanded.sets), 'set')}"


def _print_config(form: str, as_sets: tuple[str, ...], expanded: "Expanded", filters: "list[PrefixFilter]") -> None:
    from anycastle.io.irr.filter_formats import COMMENTS, FILTER_FORMATS

    lines = [f"{COMMENTS[form]} {' '.join(as_sets)}: {_size(expanded)}"]
    lines += [line for each in filters for line in FILTER_FORMATS[form](each)]
    click.echo("\n".join(lines))
    for each in filters:
        if each.left_out:
            message(f"{each.name}: {each.left_out} longer prefixes are left out", severity="warning")
