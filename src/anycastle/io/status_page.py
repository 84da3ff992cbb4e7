"""The public status page: in Statuspage's shape for programs, and as one HTML file that loads and runs nothing.

The HTML is made from what programs get, and from nothing else: so whoever holds a `summary.json` can make the page
anew, also when the controller is gone, and say how old it is.
"""

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Any, Final

from anycastle.base.ports import Timestamp
from anycastle.response.public_status import (
    INDICATORS,
    Component,
    Health,
    PublicIncident,
    PublicMaintenance,
    PublicStatus,
)

OLD_S: Final = 300.0
"""Older than this it says so before all else: what it tells may be over, or may have begun. A page that was left open
for so long says it too, by an animation of its style: one that loads itself anew takes a reader's place away (WCAG 2.2,
criterion 2.2.1)."""


def summary(told: PublicStatus) -> dict[str, Any]:
    """Give it as `GET /api/v2/summary.json` of Statuspage does; `past_incidents` and `known` are ours."""
    at = _time(told.at)
    indicator, words = INDICATORS[told.health]
    return {
        "page": {"id": "anycastle", "name": told.name, "url": told.url, "time_zone": "Etc/UTC", "updated_at": at},
        "status": {"indicator": indicator, "description": words},
        "components": list(_components(told.components, at)),
        "incidents": [_incident(each) for each in told.open],
        "scheduled_maintenances": [_maintenance(each) for each in told.maintenances],
        "past_incidents": [_incident(each) for each in told.past],
    }


def _components(found: Iterable[Component], at: str, group: str | None = None) -> Iterator[dict[str, Any]]:
    for place, each in enumerate(found, 1):
        yield {
            "id": each.key, "name": each.name, "description": each.description or None, "status": each.health.value,
            "known": each.known, "position": place, "group_id": group, "group": bool(each.parts),
            "components": [part.key for part in each.parts], "showcase": False, "only_show_if_degraded": False,
            "page_id": "anycastle", "created_at": None, "updated_at": at,
        }  # fmt: skip
        yield from _components(each.parts, at, each.key)


def _incident(each: PublicIncident) -> dict[str, Any]:
    number = str(each.id)
    updates = [
        {"id": f"{number}-{place}", "incident_id": number, "status": update.status, "body": update.text,
         "created_at": _time(update.at), "updated_at": _time(update.at), "display_at": _time(update.at)}
        for place, update in enumerate(each.updates)
    ]  # fmt: skip
    return {
        "id": number, "name": each.name, "status": each.updates[0].status, "impact": each.impact,
        "created_at": _time(each.opened), "started_at": _time(each.opened), "updated_at": _time(each.updates[0].at),
        "monitoring_at": None, "resolved_at": None if each.resolved is None else _time(each.resolved),
        "shortlink": None, "page_id": "anycastle", "incident_updates": updates,
        "components": [{"id": key} for key in each.components],
    }  # fmt: skip


def _maintenance(each: PublicMaintenance) -> dict[str, Any]:
    start = _time(each.start)
    return {
        "id": f"{each.component}-{start}", "name": each.name, "impact": "maintenance",
        "status": "in_progress" if each.under_way else "scheduled", "scheduled_for": start,
        "scheduled_until": _time(each.end), "created_at": None, "updated_at": None, "monitoring_at": None,
        "resolved_at": None, "shortlink": None, "page_id": "anycastle", "incident_updates": [],
        "components": [{"id": each.component}],
    }  # fmt: skip


def _time(at: Timestamp) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


# -- for people --------------------------------------------------------------------------------------------------------

_STYLE: Final = """
:root { color-scheme: light dark; --ground: #fbfbfa; --raised: #fff; --line: #dcdcd8; --text: #1b1c1e;
  --quiet: #5a5d63; --good: #00795a; --warn: #965700; --bad: #b84200; --calm: #0067a5; --none: #6c6f75;
  --good-ground: #e3f3ec; --warn-ground: #faf3e2; --bad-ground: #fbeee6; --calm-ground: #e4eef4;
  --none-ground: #eeeeec; }
@media (prefers-color-scheme: dark) { :root { --ground: #131416; --raised: #1a1c1f; --line: #2c2f34; --text: #e4e5e7;
  --quiet: #9da1a8; --good: #2fb58a; --warn: #e0a030; --bad: #f0834a; --calm: #62b2e8; --none: #9da1a8;
  --good-ground: #14301f; --warn-ground: #28220f; --bad-ground: #2b1d16; --calm-ground: #1d2f3b;
  --none-ground: #24262a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font-variant-numeric: tabular-nums;
  font: 15px/1.5 Inter, "Segoe UI", system-ui, -apple-system, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 720px; margin: 0 auto; padding: 40px 20px 56px; }
h1, h2, h3, p, ul, ol { margin: 0; padding: 0; } ul, ol { list-style: none; }
h1 { font-size: 22px; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 15px; font-weight: 600; margin: 36px 0 8px; } h3 { font-size: 15px; font-weight: 600; }
.quiet, time { color: var(--quiet); } .small { font-size: 13px; }
.overall { display: flex; align-items: center; gap: 10px; margin: 20px 0 6px; padding: 14px 16px; border-radius: 6px;
  font-size: 17px; font-weight: 600; border: 1px solid currentColor; }
.overall span { color: var(--text); }
.box { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; }
.box > li { padding: 11px 16px; } .box > li + li { border-top: 1px solid var(--line); }
.row { display: flex; gap: 12px; justify-content: space-between; align-items: center; }
.said { display: inline-flex; align-items: center; gap: 7px; white-space: nowrap; } .said span { color: var(--text); }
.parts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 3px 28px; margin-top: 8px;
  padding-top: 8px; border-top: 1px dashed var(--line); font-size: 13px; }
.updates { margin-top: 8px; display: grid; gap: 6px; font-size: 14px; }
.updates b { font-weight: 600; } .updates time { font-size: 13px; display: block; }
svg { flex: none; width: 14px; height: 14px; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.calm { color: var(--calm); } .none { color: var(--none); }
.overall.good { background: var(--good-ground); } .overall.warn { background: var(--warn-ground); }
.overall.bad { background: var(--bad-ground); } .overall.calm { background: var(--calm-ground); }
.overall.none { background: var(--none-ground); }
footer { margin-top: 40px; padding-top: 14px; border-top: 1px solid var(--line); font-size: 13px; color: var(--quiet); }
a { color: inherit; }
.late { display: block; visibility: hidden; animation: late 0s 300s forwards; color: var(--bad); font-size: 13px; }
@keyframes late { to { visibility: visible; } }
@media (max-width: 480px) { .row { flex-direction: column; align-items: start; gap: 2px; } main { padding-top: 24px; } }
"""

STYLE_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; base-uri 'none'; form-action 'none'"
"""Nothing is loaded and nothing runs; the one style is known by its hash."""

_SHAPES: Final = {
    "good": '<circle cx="6" cy="6" r="4.5" fill="currentColor"/>',
    "warn": '<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    '<path d="M6 2a4 4 0 0 1 0 8z" fill="currentColor"/>',
    "bad": '<path d="M2.5 2.5l7 7M9.5 2.5l-7 7" stroke="currentColor" stroke-width="2.4" fill="none"/>',
    "calm": '<rect x="2" y="2" width="8" height="8" fill="currentColor"/>',
    "none": '<circle cx="6" cy="6" r="4" fill="none" stroke="currentColor" stroke-width="1.5" '
    'stroke-dasharray="2.2 1.6"/>',
}
"""The shapes that the operators' pages have: a state is known without its colour."""

_SAID: Final = {
    Health.OPERATIONAL.value: ("good", "Operational"),
    Health.MAINTENANCE.value: ("calm", "Maintenance"),
    Health.DEGRADED.value: ("warn", "Degraded"),
    Health.PARTIAL.value: ("bad", "Partial outage"),
    Health.MAJOR.value: ("bad", "Major outage"),
}
_OVERALL: Final = {"none": "good", "maintenance": "calm", "minor": "warn", "major": "bad", "critical": "bad"}
_STEPS: Final = {"investigating": "Investigating", "identified": "Identified", "resolved": "Resolved"}


_FOOTER: Final = (
    "Times are UTC. Load the page anew to see how it stands then. For programs: <code>summary.json</code>, in the shape"
    " that Statuspage has."
)
_LATE: Final = '<p class="late" role="status">This page was loaded more than five minutes ago: load it anew.</p>'


def page(told: Mapping[str, Any], now: Timestamp) -> str:
    """Give the page of a summary, as it is to be read now."""
    name = told["page"]["name"]
    return "\n".join(
        [
            "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">',
            f"<title>{escape(name)} status</title>", f"<style>{_STYLE}</style>", "</head>", "<body>", "<main>",
            f"<h1>{escape(name)} <span class='quiet'>status</span></h1>",
            *_head(told, now), *_list("Incidents", map(_incident_item, told["incidents"])),
            *_list("Components", _component_items(told["components"])),
            *_list("Planned maintenance", map(_maintenance_item, told["scheduled_maintenances"])),
            *_list("Past incidents", map(_incident_item, told["past_incidents"]),
                   "None in the last 14 days."),
            "<footer>", _FOOTER, "</footer>",
            "</main>", "</body>", "</html>", "",
        ]
    )  # fmt: skip


def _head(told: Mapping[str, Any], now: Timestamp) -> Iterator[str]:
    status, updated = told["status"], told["page"]["updated_at"]
    age_s = max(0.0, now - datetime.fromisoformat(updated).timestamp())
    if age_s > OLD_S:
        yield _overall("none", f"Not known now: the last word is {_span(age_s)} old")
        was = f"“{escape(status['description'])}”"
        yield f'<p class="quiet small">What follows is how it was at {_moment(updated)}: {was}.'
        yield "The source of this page has not answered since.</p>"
        return
    known = any(each["known"] for each in told["components"])
    yield (
        _overall(_OVERALL.get(status["indicator"], "none"), status["description"])
        if known
        else _overall("none", "Not known now")
    )
    yield f'<p class="quiet small">As of {_moment(updated)}.</p>'
    yield _LATE


def _overall(tone: str, words: str) -> str:
    return f'<p class="overall {tone}">{_mark(tone)}<span>{escape(words)}</span></p>'


def _mark(tone: str) -> str:
    return f'<svg viewBox="0 0 12 12" aria-hidden="true">{_SHAPES[tone]}</svg>'


def _list(title: str, items: Iterable[str], empty: str = "") -> Iterator[str]:
    found = list(items)
    if found or empty:
        yield f"<section><h2>{title}</h2>"
        yield f'<ul class="box">{"".join(found)}</ul>' if found else f'<p class="quiet">{empty}</p>'
        yield "</section>"


def _component_items(found: list[Mapping[str, Any]]) -> Iterator[str]:
    for each in found:
        if each["group_id"] is None:
            parts = [part for part in found if part["group_id"] == each["id"]]
            about = f'<p class="quiet small">{escape(each["description"])}</p>' if each["description"] else ""
            inner = "".join(f'<li class="row">{escape(part["name"])}{_said(part)}</li>' for part in parts)
            below = f'<ul class="parts" aria-label="{escape(each["name"])}, by place">{inner}</ul>' if parts else ""
            yield f'<li><div class="row"><h3>{escape(each["name"])}</h3>{_said(each)}</div>{about}{below}</li>'


def _said(component: Mapping[str, Any]) -> str:
    tone, word = _SAID.get(component["status"], ("none", "Not known")) if component["known"] else ("none", "Not known")
    return f'<span class="said {tone}">{_mark(tone)}<span>{word}</span></span>'


def _incident_item(each: Mapping[str, Any]) -> str:
    steps = "".join(
        f"<li><b>{escape(_STEPS.get(update['status'], update['status']))}</b> {escape(update['body'])}"
        f"{_moment(update['created_at'])}</li>"
        for update in each["incident_updates"]
    )
    return f'<li><h3>{escape(each["name"])}</h3><ol class="updates">{steps}</ol></li>'


def _maintenance_item(each: Mapping[str, Any]) -> str:
    tone, word = ("calm", "Under way") if each["status"] == "in_progress" else ("none", "Scheduled")
    said = f'<span class="said {tone}">{_mark(tone)}<span>{word}</span></span>'
    when = f"{_moment(each['scheduled_for'])} to {_moment(each['scheduled_until'])}"
    return f'<li><div class="row"><h3>{escape(each["name"])}</h3>{said}</div><p class="small">{when}</p></li>'


def _moment(text: str) -> str:
    at = datetime.fromisoformat(text)
    return f'<time datetime="{escape(text)}">{at:%Y-%m-%d %H:%M:%S} UTC</time>'


def _span(seconds: float) -> str:
    for unit, length in (("d", 86_400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
