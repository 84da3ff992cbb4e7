"""How `anycastle twin place` tells what it found: a table, a second one by region, and JSON."""

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING, Any, Final

import click

from anycastle.cli.output import Table, message, print_table
from anycastle.cli.twin_arrivals import arrivals

if TYPE_CHECKING:
    from anycastle.twin.convergence import Overlay
    from anycastle.twin.placement import Option, Placement, Search
    from anycastle.twin.users import Estimate, Fare

ALONE_SHOWN: Final = 5
"""Candidates by themselves, best first, that the table shows; JSON has all."""


def table(found: "Placement") -> Table:
    """Give a row for today, each step of greedy, the best set of all where it is another, and candidates alone."""
    rows = [_row("today", found.today)]
    rows += [_row("+ " + " ".join(option.added), option) for option in found.greedy]
    if (
        found.exact is not None
        and found.exact.added
        and set(found.exact.added) not in [set(option.added) for option in found.greedy]
    ):
        rows.append(_row("best of all: " + " ".join(found.exact.added), found.exact))
    shown = {option.added for option in found.greedy}
    alone = [option for option in found.single if option.added not in shown]
    rows += [_row(f"only {option.added[0]}", option) for option in alone[:ALONE_SHOWN]]
    columns = (
        "POPS",
        "UNDER 30",
        "UNDER 50",
        "UNDER 100",
        "P50",
        "P95",
        "MEAN",
        "BY TIES",
        "NEAREST",
        "COST",
        "PER MS",
        "PAYS AT",
    )
    return Table(columns, rows)


def _row(name: str, option: "Option") -> tuple[str, ...]:
    fare, money = option.served.all, option.economics
    return (
        name,
        *(f"{100 * each.value:.1f} %" for each in fare.under),
        _ms(fare.p50_ms),
        _ms(fare.p95_ms),
        _ms(fare.mean_ms),
        f"{option.ties_ms[0]:.0f} to {option.ties_ms[1]:.0f}",
        _ms(option.served.nearest.mean_ms),
        "" if not option.added else f"{money.cost_per_month:,.0f}",
        "" if not option.added else _money(money.cost_per_ms),
        "" if not option.added else _money(money.break_even_per_ms),
    )


def _ms(estimate: "Estimate") -> str:
    return "-" if isnan(estimate.value) else f"{estimate.value:.0f} ms"


def _money(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f}"


def explain(found: "Placement", overlays: "Sequence[Overlay]") -> None:
    """Print what does not fit the table: regions, intervals, the gap of greedy, how long a step takes."""
    best = best_option(found)
    before = dict(found.today.served.by_region)
    rows = [
        (
            name, f"{100 * fare.users:.1f} %", *(_change(before[name], fare, each) for each in ("p50_ms", "p95_ms")),
            f"{100 * before[name].under[1].value:.1f} -> {100 * fare.under[1].value:.1f} %",
        )
        for name, fare in best.served.by_region
    ]  # fmt: skip
    click.echo()
    print_table(Table(("REGION", "USERS", "P50", "P95", "UNDER 50"), rows))
    under = best.served.all.under[1]
    name, ends = " ".join(best.added) or "today", f"{100 * under.worst:.1f} to {100 * under.best:.1f} %"
    message(f"{name}: {100 * under.value:.1f} % under 50 ms; {ends} if all paths were as the worst or best tenth")
    if not found.greedy:
        message("no candidate makes it better within these terms", severity="warning")
    if found.exact is None:
        message(f"{found.tried:,} sets tried, not all: whether greedy is best is not known")
    elif found.gap:
        message(f"{found.tried:,} sets tried, all there are: greedy misses {100 * found.gap:.1f} % of the gain")
    else:
        message(f"{found.tried:,} sets tried, all there are: none is better than greedy's")
    for money in [each.economics for each in (best,) if each.economics.payback_months]:
        message(f"setting up is earned after {money.payback_months:.1f} months")
    for option, each in zip(found.greedy, overlays, strict=False):
        message(f"+ {option.added[-1]}: {arrivals(each)}")


def _change(before: "Fare", after: "Fare", name: str) -> str:
    return f"{getattr(before, name).value:.0f} -> {getattr(after, name).value:.0f} ms"


def best_option(found: "Placement") -> "Option":
    """Give the exact set, or greedy's last, or today."""
    same = next((each for each in found.greedy if found.exact and set(each.added) == set(found.exact.added)), None)
    if found.exact is not None and found.exact.added:
        return same or found.exact
    return found.greedy[-1] if found.greedy else found.today


def plain_placement(found: "Placement", search: "Search", places: str, overlays: "Sequence[Overlay]") -> dict[str, Any]:
    """Give the answer as plain values, for JSON."""
    from dataclasses import asdict

    pops = search.users.compiled.wiring.deployment.pops

    def option(each: "Option") -> dict[str, Any]:
        served = each.served
        return {
            "added": list(each.added),
            "shares": {
                pop: round(share, 6) for pop, share in zip(pops, served.shares, strict=True) if pop in served.pops
            },
            "users": _fare(served.all),
            "regions": {name: _fare(fare) for name, fare in served.by_region},
            "mean_ms_by_ties": [round(end, 3) for end in each.ties_ms],
            "nearest_would_claim": _fare(served.nearest),
            "economics": {
                name: None if value is None else round(value, 3) for name, value in asdict(each.economics).items()
            },
        }

    return {
        "round_trips": search.users.trips.source,
        "places": places,
        "located": round(search.users.located, 6),
        "aim": search.terms.aim.value,
        "today": option(found.today),
        "greedy": [option(each) for each in found.greedy],
        "exact": None if found.exact is None else option(found.exact),
        "gap": None if found.gap is None else round(found.gap, 6),
        "sets_tried": found.tried,
        "single": [option(each) for each in found.single],
        "convergence": [asdict(each) for each in overlays],
    }


def _fare(fare: "Fare") -> dict[str, Any]:
    from anycastle.twin.users import UNDER_MS

    def plain(estimate: "Estimate", digits: int) -> dict[str, float | None]:
        values = {"value": estimate.value, "best": estimate.best, "worst": estimate.worst}
        return {name: None if isnan(value) else round(value, digits) for name, value in values.items()}

    return {
        "share": round(fare.users, 6),
        **{f"under_{limit}_ms": plain(each, 6) for limit, each in zip(UNDER_MS, fare.under, strict=True)},
        "p50_ms": plain(fare.p50_ms, 2),
        "p95_ms": plain(fare.p95_ms, 2),
        "mean_ms": plain(fare.mean_ms, 3),
        "no_route": round(fare.no_route, 6),
    }
