"""`anycastle irr show`: what registries hold of a prefix, an ASN or an as-set."""

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click

from anycastle.base.errors import ParseError
from anycastle.cli.irr_registry import opened, place_of, registry_options, sources_of
from anycastle.cli.output import Form, Table, message, output_option, print_form

if TYPE_CHECKING:
    from anycastle.io.irr.registry import Registry
    from anycastle.model.asn import ASN
    from anycastle.model.irr import ASSet, AutNum, Member, RouteObject
    from anycastle.model.prefix import Prefix

    Subject = Prefix | Member

NOTHING = 3
"""Exit code where registries hold nothing of it, as `rpki validate` has it for what is not found."""

_COLUMNS = ("object", "what", "source", "maintained by", "last modified")
_CELL_MAX = 60


@click.command()
@click.argument("subject", metavar="PREFIX|ASN|AS-SET")
@registry_options
@output_option(Form.TABLE, Form.JSON)
def show(subject: str, servers: tuple[str, ...], file: str | None, sources: tuple[str, ...], form: Form) -> None:
    """Show what registries hold of a prefix, an ASN or an as-set.

    \b
    anycastle irr show 192.0.2.0/24 --server rr.example.net
    anycastle irr show AS64500 --file ripe.db.gz -o json
    anycastle irr show RIPE::AS-EXAMPLE --server rr.example.net

    Of a prefix: its route objects, and those that cover it or lie in it. Of an ASN: its aut-num, and the prefixes that
    it is an origin of. Of an as-set: its object in each source, and the ASNs that it comes to. Exits with 3 where there
    is nothing.
    """
    (where, file), wanted = place_of(servers, file), sources_of(sources)
    about = _subject(subject)

    async def gather() -> tuple[list[dict[str, Any]], list[str]]:
        async with opened(where, file, wanted) as registry:
            return await _gather(registry, about)

    found, remarks = asyncio.run(gather())
    for remark in remarks:
        message(remark, severity="warning")
    if found or form is not Form.TABLE:
        print_form(form, found, Table(_COLUMNS, [_row(each) for each in found]))
    else:
        message(f"nothing is registered of {subject}")
    sys.exit(0 if found else NOTHING)


def _subject(text: str) -> "Subject":
    from anycastle.model.irr import parse_member
    from anycastle.model.prefix import parse_prefix

    try:
        return parse_prefix(text) if "/" in text else parse_member(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint="PREFIX|ASN|AS-SET") from None


async def _gather(registry: "Registry", about: "Subject") -> tuple[list[dict[str, Any]], list[str]]:
    from anycastle.io.irr.view import routes_about, set_view
    from anycastle.model.irr import SetName
    from anycastle.model.prefix import Prefix

    remarks: list[str] = []
    if isinstance(about, Prefix):
        routes = await routes_about(registry, [about], remarks)
        return [_route(each, about) for each in routes], remarks
    if isinstance(about, SetName):
        view = await set_view(registry, about, remarks)
        if not view.objects:
            return [], remarks
        asns = ", ".join(f"AS{asn}" for asn in sorted(view.expanded.asns))
        whole = {"object": str(about), "what": f"comes to {asns or 'nothing'}", "asns": sorted(view.expanded.asns),
                 "missing": list(map(str, view.expanded.missing))}  # fmt: skip
        return [*(_as_set(each) for each in view.objects), whole], remarks
    return await _network(registry, about, remarks), remarks


async def _network(registry: "Registry", asn: "ASN", remarks: list[str]) -> list[dict[str, Any]]:
    from anycastle.io.irr.expand import originated
    from anycastle.io.irr.view import read
    from anycastle.model.irr import AutNum
    from anycastle.model.prefix import Family
    from anycastle.wire.irr.query import ObjectByKey, Question

    objects = read(await registry.ask([Question(ObjectByKey("aut-num", f"AS{asn}"))]), remarks)
    found = [_aut_num(each) for each in objects if isinstance(each, AutNum)]
    prefixes = await originated(registry, [asn], Family)
    return found + [{"object": str(each), "what": f"origin AS{asn}"} for each in sorted(prefixes.prefixes)]


def _route(each: "RouteObject", about: "Prefix") -> dict[str, Any]:
    place = "exact" if each.prefix == about else "covers it" if each.prefix.contains(about) else "in it"
    return {"object": str(each.prefix), "what": f"origin AS{each.origin}, {place}", "origin": each.origin, **_by(each)}


def _as_set(each: "ASSet") -> dict[str, Any]:
    from anycastle.model.irr import format_member

    members = [*map(format_member, each.members), *each.unreadable]
    return {
        "object": each.name.name,
        "what": f"holds {', '.join(members) or 'nothing'}",
        "members": members,
        **_by(each),
    }


def _aut_num(each: "AutNum") -> dict[str, Any]:
    sets = f", member of {', '.join(each.member_of)}" if each.member_of else ""
    what = f"aut-num {each.name}{sets}"
    return {"object": f"AS{each.asn}", "what": what, "name": each.name, "member_of": list(each.member_of), **_by(each)}


def _by(each: "RouteObject | ASSet | AutNum") -> dict[str, Any]:
    return {"source": each.source, "maintained_by": list(each.maintainers), "last_modified": each.last_modified}


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    what = each["what"]
    short = what if len(what) <= _CELL_MAX else f"{what[:_CELL_MAX]}..."
    by = ", ".join(each.get("maintained_by", ()))
    return each["object"], short, each.get("source", ""), by, each.get("last_modified", "")
