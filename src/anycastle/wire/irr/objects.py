"""RPSL objects <-> the model's values: route and route6, as-set, aut-num; registries hold a dozen classes more."""

from collections.abc import Iterable, Iterator

from anycastle.base.errors import ParseError
from anycastle.model.asn import parse_asn
from anycastle.model.irr import ASSet, AutNum, Member, RouteObject, format_member, parse_member, parse_set_name
from anycastle.model.prefix import Family, parse_prefix
from anycastle.wire.irr.rpsl import Damage, RPSLObject, parse_rpsl

RegistryObject = RouteObject | ASSet | AutNum


def read_objects(lines: Iterable[str], where: str) -> Iterator[RegistryObject | ParseError]:
    """Give the values of a text, line by line, and in their place what is wrong with those that cannot be read.

    Objects of other classes are passed over. `where` names the text: `FILE:12: ...`.
    """
    for each in parse_rpsl(lines):
        if isinstance(each, Damage):
            yield ParseError(f"{where}:{each.line}: {each.what}")
            continue
        try:
            value = read_object(each)
        except ParseError as error:
            yield error
            continue
        if value is not None:
            yield value


def read_object(each: RPSLObject) -> RegistryObject | None:
    """Give the value of an object, None for one of another class. Raises `ParseError` for one that cannot be read."""
    try:
        match each.kind:
            case "route" | "route6":
                return _route(each)
            case "as-set":
                return _as_set(each)
            case "aut-num":
                return _aut_num(each)
    except ParseError as error:
        raise ParseError(f"{each.kind} {each.key[:80]}: {error}") from error
    return None


def _route(each: RPSLObject) -> RouteObject:
    prefix = parse_prefix(each.key)
    if (prefix.family is Family.IPV6) is not (each.kind == "route6"):
        raise ParseError(f"the class of {prefix} is {'route6' if prefix.family is Family.IPV6 else 'route'}")
    return RouteObject(prefix, parse_asn(each.first("origin")), *_common(each))


def _common(each: RPSLObject) -> tuple[str, tuple[str, ...], str]:
    maintainers = tuple(name.upper() for name in each.items("mnt-by"))
    return each.first("source").upper(), maintainers, each.first("last-modified")


def _as_set(each: RPSLObject) -> ASSet:
    members: dict[Member, None] = {}
    unreadable: list[str] = []
    for item in each.items("members", "mp-members"):
        try:
            members[parse_member(item)] = None
        except ParseError:
            unreadable.append(item)
    by_reference = tuple(name.upper() for name in each.items("mbrs-by-ref"))
    source, maintainers, last_modified = _common(each)
    name = parse_set_name(each.key)
    if name.source:
        raise ParseError("a source is no part of a set's own name")
    return ASSet(name, tuple(members), by_reference, source, maintainers, last_modified, tuple(unreadable))


def _aut_num(each: RPSLObject) -> AutNum:
    member_of = tuple(name.upper() for name in each.items("member-of"))
    return AutNum(parse_asn(each.key), each.first("as-name"), member_of, *_common(each))


def write_object(value: RegistryObject) -> RPSLObject:
    """Give the object of a value. Attributes that the model does not hold are not in it."""
    match value:
        case RouteObject(prefix, origin):
            kind = "route6" if prefix.family is Family.IPV6 else "route"
            head = [(kind, str(prefix)), ("origin", f"AS{origin}")]
        case ASSet(name, members, by_reference):
            head = [("as-set", name.name)]
            head += [("members", ", ".join([*map(format_member, members), *value.unreadable]))]
            head += [("mbrs-by-ref", ", ".join(by_reference))]
        case AutNum(asn, as_name, member_of):
            head = [("aut-num", f"AS{asn}"), ("as-name", as_name), ("member-of", ", ".join(member_of))]
    tail = [("mnt-by", ", ".join(value.maintainers)), ("last-modified", value.last_modified), ("source", value.source)]
    return RPSLObject(tuple((name, text) for name, text in (*head, *tail) if text))
