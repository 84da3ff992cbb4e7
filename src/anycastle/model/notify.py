"""Who is told of incidents, by which way: notifiers, and routes to them. Secrets are in files, and only named here."""

from dataclasses import dataclass, field

PAGE = "page"
TICKET = "ticket"
URGENCIES = (PAGE, TICKET)


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """An Alertmanager's API v2."""

    url: str
    ca_file: str | None = None
    token_file: str | None = None


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """PagerDuty's Events API v2."""

    key_file: str
    """The integration's routing key."""
    url: str = "https://events.pagerduty.com/v2/enqueue"
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Slack:
    """An incoming webhook; its URL is the secret."""

    url_file: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A program of the operator's own, which takes signed JSON."""

    url: str
    secret_file: str
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server that takes messages for delivery."""

    server: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    tls: str = "starttls"
    """`starttls`, `tls`, or `none`."""
    user: str | None = None
    password_file: str | None = None
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Syslog:
    """A collector of syslog messages."""

    place: str
    """`tcp://HOST:PORT` or `tls://HOST:PORT`."""
    ca_file: str | None = None


Target = Alertmanager | PagerDuty | Slack | Webhook | Mail | Syslog


@dataclass(frozen=True, slots=True)
class Notifier:
    """A way to tell somebody, under a name."""

    name: str
    target: Target


@dataclass(frozen=True, slots=True)
class Route:
    """Who is told of which notices. What a filter does not name is not looked at."""

    urgency: str
    """`page` or `ticket`."""
    to: tuple[str, ...]
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    pops: tuple[str, ...] = ()

    def takes(self, urgency: str, services: frozenset[str], regions: frozenset[str], pops: frozenset[str]) -> bool:
        """Tell whether a notice of that urgency, about these, goes this way."""
        asked = ((self.services, services), (self.regions, regions), (self.pops, pops))
        return urgency == self.urgency and all(not wanted or there.intersection(wanted) for wanted, there in asked)


@dataclass(frozen=True, slots=True)
class NotifyPlan:
    """All of it."""

    notifiers: tuple[Notifier, ...] = ()
    routes: tuple[Route, ...] = ()
    urgency: dict[str, str] = field(default_factory=dict)
    """Kind of an alert -> `page` or `ticket`, where it is not the usual one."""
    clear_after_s: float | None = None
    """How long an alert must be quiet to be over; None for what is usual."""

    def notifier(self, name: str) -> Notifier:
        """Give a notifier. Raises `KeyError`."""
        for each in self.notifiers:
            if each.name == name:
                return each
        raise KeyError(name)

    def told(
        self, urgency: str, services: frozenset[str], regions: frozenset[str], pops: frozenset[str]
    ) -> tuple[str, ...]:
        """Give the names of the notifiers that a notice goes to, each once."""
        ways = (route.to for route in self.routes if route.takes(urgency, services, regions, pops))
        return tuple(dict.fromkeys(name for names in ways for name in names))
