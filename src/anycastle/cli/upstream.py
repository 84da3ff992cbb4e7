"""`anycastle upstream`: the networks that PoPs announce to, as a controller's API tells of them."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from anycastle.cli.controller_option import server_api, server_options
from anycastle.cli.output import Form, Table, message, output_option, print_form


@click.group()
def upstream() -> None:
    """See the networks that PoPs announce to: sessions, and what each is told."""


@upstream.command("list")
@server_options
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def list_(server: str | None, token_file: Path | None, ca_file: Path | None, form: Form) -> None:
    """List upstreams by their ASNs.

    \b
    anycastle upstream list --server https://ctl1.example.net:8443
    """
    items = server_api(server, token_file, ca_file).get("/api/v1/upstreams")["items"]
    rows = [
        (f"AS{each['asn']}", ", ".join(each["names"]), ", ".join(each["kinds"]), str(each["pops"]),
         *(("not known", "not known") if not each["heard"]
           else (f"{each['sessions_up']}/{each['sessions']}", str(each["routes_missing"]))))
        for each in items
    ]  # fmt: skip
    print_form(form, items, Table(("ASN", "NAMES", "KIND", "POPS", "UP", "ROUTES AMISS"), rows))


@upstream.command()
@click.argument("name")
@server_options
@output_option(Form.TABLE, Form.JSON, Form.YAML)
def show(name: str, server: str | None, token_file: Path | None, ca_file: Path | None, form: Form) -> None:
    """Show an upstream by its NAME or ASN: its sessions at each PoP, and what it is told.

    \b
    anycastle upstream show transit-a --server https://ctl1.example.net:8443
    """
    found = server_api(server, token_file, ca_file).get(f"/api/v1/upstreams/{quote(name, safe='')}")
    rows = [row for place in found["places"] for row in _rows(place)]
    print_form(form, found, Table(("POP", "ASN", "NEIGHBOUR", "STATE", "PREFIX", "TOLD", "WANTED"), rows))
    silent = [place["pop"] for place in found["places"] if not place["heard"]]
    if silent and form is Form.TABLE:
        message(f"not heard: {', '.join(silent)}", severity="warning")


def _rows(place: dict[str, Any]) -> list[tuple[str, ...]]:
    """Give a line for each session and for each route, beside each other as far as both go."""
    sessions, routes = place["sessions"], place["routes"]
    rows = []
    for at in range(max(len(sessions), len(routes), 1)):
        session = (sessions[at]["neighbour"], sessions[at]["state"]) if at < len(sessions) else ("", "")
        route = routes[at] if at < len(routes) else None
        told = ("", "", "") if route is None else (route["prefix"], _told(route["exported"]), _told(route["wanted"]))
        rows.append((place["pop"] if at == 0 else "", f"AS{place['asn']}" if at == 0 else "", *session, *told))
    return rows


def _told(route: dict[str, Any] | None) -> str:
    if route is None:
        return "no"
    words = [f"prepend {route['prepend']}"] if route["prepend"] else []
    words += [] if route["med"] is None else [f"MED {route['med']}"]
    return ", ".join([*words, *route["communities"]]) or "yes"
