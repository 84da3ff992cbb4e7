"""`notify` of `fleet.yaml`: what comes back, and every mistake at its place."""

from pathlib import Path

import pytest

from anycastle.io.config import FindingKind, load_fleet
from anycastle.io.config.write import write_fleet
from anycastle.model.notify import (
    Alertmanager,
    Mail,
    Notifier,
    NotifyPlan,
    PagerDuty,
    Route,
    Slack,
    Syslog,
    Webhook,
)
from tests.unit.io.config.folders import SMALL, write

pytestmark = pytest.mark.mission("C15")

ALL = """
notify:
  notifiers:
    - {name: alerts, alertmanager: {url: "https://am.example.net:9093/", token_file: /etc/am, ca_file: /etc/ca}}
    - {name: oncall, pagerduty: {key_file: /etc/pd}}
    - {name: chat, slack: {url_file: /etc/slack}}
    - {name: own, webhook: {url: "https://own.example.net/in", secret_file: /etc/own}}
    - {name: mail, mail: {server: mx.example.net, sender: a@example.net, to: [b@example.net],
       user: u, password_file: /p}}
    - {name: logs, syslog: {place: "tls://logs.example.net"}}
  routes:
    - {urgency: page, to: [oncall, alerts, logs]}
    - {urgency: page, to: [chat], services: [dns], regions: [europe], pops: [fra1]}
    - {urgency: ticket, to: [mail, own]}
  urgency: {service_down: ticket}
  clear_after: 90s
"""
PLAN = NotifyPlan(
    (
        Notifier("alerts", Alertmanager("https://am.example.net:9093", "/etc/ca", "/etc/am")),
        Notifier("oncall", PagerDuty("/etc/pd")),
        Notifier("chat", Slack("/etc/slack")),
        Notifier("own", Webhook("https://own.example.net/in", "/etc/own")),
        Notifier("mail", Mail("mx.example.net", "a@example.net", ("b@example.net",), user="u", password_file="/p")),
        Notifier("logs", Syslog("tls://logs.example.net")),
    ),
    (
        Route("page", ("oncall", "alerts", "logs")),
        Route("page", ("chat",), ("dns",), ("europe",), ("fra1",)),
        Route("ticket", ("mail", "own")),
    ),
    {"service_down": "ticket"},
    90.0,
)


def files(text: str) -> dict[str, str]:
    return {**SMALL, "fleet.yaml": SMALL["fleet.yaml"] + text}


def test_all_of_it_comes_back_also_after_writing(tmp_path: Path) -> None:
    result = load_fleet(write(tmp_path / "first", files(ALL)))
    assert result.fleet is not None, [str(finding) for finding in result.findings]
    assert result.findings == ()
    assert result.fleet.notify == PLAN
    write_fleet(result.fleet, tmp_path / "again")
    assert load_fleet(tmp_path / "again").fleet == result.fleet


def test_without_it_nobody_is_told(tmp_path: Path) -> None:
    result = load_fleet(write(tmp_path, SMALL))
    assert result.fleet is not None
    assert result.fleet.notify == NotifyPlan()


def test_a_notice_goes_all_ways_that_take_it() -> None:
    def told(urgency: str, service: str, region: str, pop: str) -> tuple[str, ...]:
        return PLAN.told(urgency, frozenset({service}), frozenset({region}), frozenset({pop}))

    assert told("page", "dns", "europe", "fra1") == ("oncall", "alerts", "logs", "chat")
    assert told("page", "dns", "asia", "fra1") == ("oncall", "alerts", "logs")
    assert told("ticket", "dns", "europe", "fra1") == ("mail", "own")


@pytest.mark.parametrize(
    ("old", "new", "kind", "begins"),
    [
        ("slack: {url_file: /etc/slack}", "slack: {url_file: 'https://hooks.example.net/hunter2'}", "SECRET", "'https"),
        ("slack: {url_file: /etc/slack}", "slack: {url: /etc/slack}", "UNKNOWN_KEY", "url: "),
        ("pagerduty: {key_file: /etc/pd}", "pagerduty: {key: hunter2}", "SECRET", "key: hunter2"),
        ("https://own.example.net/in", "https://u:hunter2@own.example.net/in", "SECRET", '"https://u'),
        ("https://own.example.net/in", "ftp://own.example.net/in", "BAD_VALUE", '"ftp'),
        ("tls://logs", "udp://logs", "BAD_VALUE", '"udp'),
        ("user: u, ", "user: u, tls: none, ", "SECRET", "none,"),
        ("user: u, ", "", "BAD_VALUE", "/p"),
        ("to: [b@example.net]", "to: [b]", "BAD_VALUE", "b]"),
        (", slack: {url_file: /etc/slack}", "", "NOTIFIER_KIND", "{name: chat"),
        ("name: own", "name: chat", "DUPLICATE_NAME", "chat, webhook"),
        ("to: [mail, own]", "to: [mail, owm]", "UNKNOWN_NOTIFIER", "owm]"),
        ("urgency: ticket, to", "urgency: tiket, to", "BAD_VALUE", "tiket"),
        ("services: [dns]", "services: [dsn]", "UNKNOWN_SERVICE", "dsn]"),
        ("regions: [europe]", "regions: [eurpe]", "UNKNOWN_REGION", "eurpe]"),
        ("pops: [fra1]", "pops: [fra2]", "UNKNOWN_POP", "fra2]"),
        ("logs]}", "logs], pops: [fra1]}", "NO_PAGE_ROUTE", "- {urgency: page, to: [oncall"),
        ("to: [mail, own]", "to: [own]", "NO_EFFECT", "mail, mail"),
        ("service_down: ticket", "service_dwn: ticket", "BAD_VALUE", "service_dwn"),
        ("clear_after: 90s", "clear_after: 4s", "BAD_VALUE", "4s"),
        ("clear_after: 90s", "clear_after: 25h", "BAD_VALUE", "25h"),
    ],
)
def test_a_mistake_is_found_at_its_place(tmp_path: Path, old: str, new: str, kind: str, begins: str) -> None:
    assert old in ALL
    folder = write(tmp_path, files(ALL.replace(old, new, 1)))
    result = load_fleet(folder)
    found = [each for each in result.findings if each.code == FindingKind[kind].code]
    assert len(found) >= 1, [str(each) for each in result.findings]
    lines = (folder / "fleet.yaml").read_text().splitlines()
    assert lines[found[0].line - 1][found[0].column - 1 :].startswith(begins)
    assert "hunter2" not in "".join(map(str, result.findings))
