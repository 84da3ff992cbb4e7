"""What the commands of `anycastle twin` are given: graphs, PoPs, adopters."""

import random
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

import click

from anycastle.base.errors import MisuseError, ParseError
from anycastle.cli.output import message
from anycastle.io.as_graph import LoadedGraph, default_cache_folder, load_graph
from anycastle.io.as_weights import read_weights
from anycastle.io.catchments.text import read_text
from anycastle.io.config.findings import Place
from anycastle.io.pictures.canvas import SUFFIXES
from anycastle.io.rows import Errors
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.fleet import Fleet
from anycastle.twin.deployment import (
    Configuration,
    Deployment,
    Session,
    SessionGroup,
    Standing,
    Treatment,
    deployment_of_origins,
)
from anycastle.twin.graph import ASGraph
from anycastle.twin.intent import Remark
from anycastle.twin.policy import Adopters, Policy
from anycastle.twin.sweep import WITHHELD
from anycastle.twin.synthetic import make_graph
from anycastle.twin.weights import Weights, equal_weights, place_weights

F = TypeVar("F", bound=Callable[..., Any])

SUBJECTS_SHOWN: Final = 4
SYNTHETIC_MAX: Final = 200_000
_SYNTHETIC: Final = re.compile(r"synthetic:(\d{1,7})(?::(\d{1,9}))?")
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d+)?)%")


class Picture(click.Path):
    """A picture's file. Another suffix is refused before anything is worked out."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the path."""
        path = Path(str(super().convert(value, param, ctx)))
        if path.suffix not in SUFFIXES:
            self.fail(f"{path.name!r} ends neither in .svg nor in .png", param, ctx)
        return path


PICTURE: Final = Picture()


def open_graph(name: str, no_cache: bool) -> LoadedGraph:
    """Give the graph that was named, and say on standard error what it is and from when."""
    made = _SYNTHETIC.fullmatch(name)
    if made is not None:
        if int(made[1]) > SYNTHETIC_MAX:
            raise click.BadParameter(f"at most {SYNTHETIC_MAX} ASes are made", param_hint="GRAPH")
        loaded = LoadedGraph(make_graph(int(made[1]), random.Random(int(made[2] or 1))).graph, False, None)
    else:
        if not Path(name).exists():
            words = f"there is no file {name!r}; synthetic:5000 is a graph made here"
            raise click.BadParameter(words, param_hint="GRAPH")
        loaded = load_graph(Path(name), cache=None if no_cache else default_cache_folder())
    message(describe(loaded.graph))
    return loaded


def describe(graph: ASGraph) -> str:
    """Give the one line that says which graph, from when, how large."""
    own = f", {graph.origin.own_links} adjacencies of our own" if graph.origin.own_links else ""
    name = f"{graph.origin.name} of {graph.origin.date}" if graph.origin.date else graph.origin.name
    return f"graph: {name}, {len(graph):,} ASes, {graph.link_count:,} links{own}"


def about_graph(graph: ASGraph) -> dict[str, Any]:
    """Give the same as plain values, for JSON."""
    return {"name": graph.origin.name, "date": graph.origin.date, "ases": len(graph), "links": graph.link_count}


def parse_origin(text: str) -> tuple[ASN, int]:
    """Parse `ASN[:PREPENDS]`."""
    asn, _, prepend = text.partition(":")
    if prepend and not (prepend.isascii() and prepend.isdigit() and len(prepend) <= 5):
        raise click.BadParameter(f"{text!r}: {prepend!r} is no number of prepends", param_hint="--origin")
    return parse_as(asn, "--origin"), int(prepend or 0)


def parse_as(text: str, hint: str) -> ASN:
    """Parse an AS number, or raise a usage error that names the option."""
    try:
        return parse_asn(text)
    except ParseError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


def check_asns(graph: ASGraph, asns: Sequence[ASN], hint: str) -> None:
    """Raise a usage error that names the ASNs that the graph does not have."""
    absent = [f"AS{asn}" for asn, node in zip(asns, graph.nodes(asns), strict=True) if node < 0]
    if absent:
        raise click.BadParameter(f"not in this graph: {', '.join(absent)}", param_hint=hint)


def deployment_options(command: F) -> F:
    """Give the options by which PoPs are named; `read_deployment` takes them as one mapping."""
    for option in (
        click.option("--fleet", type=click.Path(path_type=Path), help="A fleet's folder, for its PoPs and upstreams."),
        click.option("--pop", "pops", multiple=True, metavar="NAME=ASN[/peer],...",
                     help="A PoP and its neighbours, transits unless they say /peer; with --asn."),
        click.option("--asn", help="Our ASN, for --pop."),
        click.option("--origin", "origins", multiple=True, metavar="ASN[:PREPENDS]",
                     help="An AS of the graph that is a PoP as it stands there."),
    ):  # fmt: skip
        command = option(command)
    return command


class Asked(NamedTuple):
    """PoPs, and how they announce."""

    deployment: Deployment
    configuration: Configuration


def read_deployment(graph: ASGraph, given: dict[str, Any]) -> Asked:
    """Give the deployment that the options name; neighbours that the graph does not have are left out, and named."""
    ways = [name for name in ("fleet", "pops", "origins") if given[name]]
    if len(ways) != 1:
        raise click.UsageError("name the PoPs by one of --fleet, --pop with --asn, or --origin")
    if ways == ["origins"]:
        asked = [parse_origin(origin) for origin in given["origins"]]
        check_asns(graph, [asn for asn, _ in asked], "--origin")
        deployment = deployment_of_origins(asn for asn, _ in asked)
        return Asked(deployment, deployment.everywhere({f"AS{asn}": prepend for asn, prepend in asked}))
    if ways == ["fleet"]:
        return _of_fleet(graph, given["fleet"])
    deployment, absent = _of_pops(given["pops"], given["asn"]).known_to(graph)
    if absent:
        message(f"not in this graph, and left out: {', '.join(f'AS{asn}' for asn in absent)}", severity="warning")
    if not deployment.groups:
        raise click.UsageError("no PoP has a neighbour in this graph")
    return Asked(deployment, deployment.everywhere())


def open_fleet(folder: Path, shown: Callable[[str], str] = str) -> Fleet:
    """Load a fleet, or print what is wrong with it and raise a usage error."""
    from anycastle.io.config import load_fleet

    result = load_fleet(folder)
    for finding in result.errors:
        message(shown(str(finding)), severity="error")
    if result.fleet is None:
        raise click.UsageError(f"{shown(str(folder))} has errors; see `anycastle config validate`")
    return result.fleet


def _of_fleet(graph: ASGraph, folder: Path) -> Asked:
    """Give what the fleet's first service announces, and say what of it is not followed."""
    from anycastle.twin.intent import intent_of

    intent = intent_of(open_fleet(folder), graph)
    show_remarks(intent.remarks)
    if not intent.configuration.announced:
        raise click.UsageError("no PoP announces anything that this graph can follow")
    message(f"as announced for {intent.service} {intent.prefix}")
    return Asked(intent.deployment, intent.configuration)


def prepends_of(asked: Asked) -> list[int]:
    """Give the prepends of each session group, `WITHHELD` where it is silent.

    For commands whose configurations differ in prepends alone; where a fleet asks more of an upstream, it is named.
    """
    announced = asked.configuration.announced
    pops_at: dict[int, set[str]] = {}
    for group in asked.deployment.groups:
        for session in group.sessions if group.name in announced else ():
            pops_at.setdefault(session.neighbour, set()).add(group.pop)
    shared = [f"AS{asn}" for asn, pops in pops_at.items() if len(pops) > 1]
    if shared:
        words = "of PoPs with one upstream and equal paths, the first takes all here; predict and survive tell all ways"
        message(f"{', '.join(shared)}: {words}", severity="warning")
    more = [name for name, how in announced.items() if how != Treatment(how.prepend)]
    if more:
        message(f"{', '.join(more)}: only prepends are followed here, not what communities ask", severity="warning")
    return [announced[g.name].prepend if g.name in announced else WITHHELD for g in asked.deployment.groups]


def _of_pops(pops: Sequence[str], asn: str | None) -> Deployment:
    if asn is None:
        raise click.UsageError("--pop needs --asn, the ASN that announces")
    own = parse_as(asn, "--asn")
    groups = []
    for pop in pops:
        name, equals, rest = pop.partition("=")
        if not (name and equals and rest):
            raise click.BadParameter(f"{pop!r} is not NAME=ASN[/peer],...", param_hint="--pop")
        for text in rest.split(","):
            neighbour, slash, kind = text.partition("/")
            if slash and kind != "peer":
                raise click.BadParameter(f"{text!r}: after / only peer can stand", param_hint="--pop")
            session = Session(parse_as(neighbour, "--pop"), Standing.PEER if slash else Standing.CUSTOMER)
            groups.append(SessionGroup(f"{name}/AS{session.neighbour}", name, own, (session,)))
    return Deployment(tuple(groups))


def weights_option(command: F) -> F:
    """Give the option `--weights`; `open_weights` takes it."""
    return click.option("--weights", default="equal", show_default=True, metavar="equal|FILE",
                        help="How much each AS counts: CSV with asn and users, or ranges FIRST,LAST,ASN (addresses).",
                        )(command)  # fmt: skip


def open_weights(graph: ASGraph, name: str) -> Weights:
    """Give the weights that `--weights equal|FILE` names, and say on standard error what they are."""
    if name == "equal":
        return equal_weights(graph)
    path = Path(name)
    if not path.is_file():
        raise click.BadParameter(f"{name!r} is neither equal nor a file", param_hint="--weights")
    try:
        read = read_weights(path)
        weights = place_weights(graph, read.of_asn, read.source)
    except (ParseError, MisuseError) as error:
        raise click.UsageError(f"--weights: {error}") from error
    absent = ", ".join(f"AS{asn} {100 * share:.2f} %" for asn, share in weights.absent)
    message(
        f"weights: {weights.source}; {100 * weights.unplaced:.1f} % of them is of ASes that this graph does not have"
        + (f": {absent}" if absent else "")
    )
    return weights


def show_remarks(remarks: Iterable[Remark]) -> None:
    """Say on standard error what a prediction leaves out, a line for all places of which the same is said."""
    places: dict[tuple[str, str], list[str]] = {}
    for remark in remarks:
        places.setdefault((remark.text, remark.kind.value), []).append(remark.subject)
    for (text, kind), subjects in places.items():
        more = f" and {len(subjects) - SUBJECTS_SHOWN} more" if len(subjects) > SUBJECTS_SHOWN else ""
        message(f"{', '.join(subjects[:SUBJECTS_SHOWN])}{more}: {text} [{kind}]", severity="warning")


def progress(length: int, label: str) -> AbstractContextManager[Any]:
    """Give a bar on standard error, to be told by `update(n)`; nothing is shown where that is no terminal."""
    bar = cast("Callable[..., AbstractContextManager[Any]]", click.progressbar)
    return bar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())


def adopter_options(*policies: Policy) -> Callable[[F], F]:
    """Give an option for the adopters of each policy; `read_adopters` takes them."""

    def add(command: F) -> F:
        for policy in reversed(policies):
            name = policy.name
            assert name is not None
            command = click.option(
                f"--{name.lower()}",
                metavar="N%|FILE",
                help=f"Who verifies by {name}: a share of all ASes, or a file of ASNs.",
            )(command)
        return command

    return add


def read_adopters(graph: ASGraph, given: dict[str, Any], seed: int) -> Adopters | None:
    """Give the adopters; a share is drawn from the seed, independently for each policy."""
    chosen = {policy: _adopters(graph, given[key], seed + policy.value, key)
              for policy in Policy if given.get(key := str(policy.name).lower())}  # fmt: skip
    return Adopters.of(graph, chosen) if chosen else None


def _adopters(graph: ASGraph, text: str, seed: int, key: str) -> list[int]:
    share = _SHARE.fullmatch(text)
    if share is not None and float(share[1]) <= 100:
        count = round(len(graph) * float(share[1]) / 100)
        return random.Random(seed).sample(graph.by_asn.tolist(), count)
    path = Path(text)
    if not path.is_file():
        raise click.BadParameter(f"{text!r} is neither a share such as 30% nor a file of ASNs", param_hint=f"--{key}")
    return _read_asns(path)


def _read_asns(path: Path) -> list[int]:
    """Read ASNs, parted by blanks or lines. Raises `ParseError` that names all that are none."""
    found, errors = list[int](), Errors()
    for number, line in enumerate(read_text(path).splitlines(), 1):
        for word in re.finditer(r"\S+", line.partition("#")[0]):
            try:
                found.append(parse_asn(word[0]))
            except ParseError as error:
                errors.add(Place(str(path), number, word.start() + 1), "", str(error))
    errors.raise_if_any()
    return found
