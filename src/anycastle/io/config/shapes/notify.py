"""`notify` of `fleet.yaml`: who is told of incidents, and by which way."""

from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema

from anycastle.base.errors import MisuseError
from anycastle.io.config.findings import FindingKind, Findings, did_you_mean
from anycastle.io.config.nodes import Placed, shown
from anycastle.io.config.scalars import (
    Name,
    NameReference,
    Path,
    Port,
    SecretPath,
    Text,
    duration,
    read_text,
    refuse,
    word,
)
from anycastle.io.config.shape import ENTRIES, ITEMS, Shape
from anycastle.io.config.units import format_duration
from anycastle.io.syslog import parse_place
from anycastle.model import notify
from anycastle.response.openings import OF_AGENTS
from anycastle.response.policy import Policy

KINDS: Final = ("alertmanager", "pagerduty", "slack", "webhook", "mail", "syslog")


def _words(*words: str) -> Any:
    return PlainValidator(word({each: each for each in words})), WithJsonSchema({"enum": list(words)})


def _read_url(node: Any) -> str:
    text = read_text(node)
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is no URL: write https://HOST/PATH")
    if "@" in parts.netloc or parts.query:
        raise refuse(FindingKind.SECRET, "a URL with a user or a query may hold a secret, and none stands in the fleet")
    return text.rstrip("/")


def _read_syslog(node: Any) -> str:
    text = read_text(node)
    try:
        parse_place(text)
    except MisuseError as error:
        raise refuse(FindingKind.BAD_VALUE, str(error)) from None
    return text


def _read_mailbox(node: Any) -> str:
    text = read_text(node)
    local, _, domain = text.rpartition("@")
    if not local or not domain or any(each in text for each in ' ,;<>"') or not text.isascii():
        raise refuse(FindingKind.BAD_VALUE, f"{shown(text)} is no mail address: write name@example.net")
    return text


def _alert_kind(kind: str) -> str:
    if kind not in OF_AGENTS:
        raise refuse(FindingKind.BAD_VALUE, f"{shown(kind)} is no kind of alert{did_you_mean(kind, OF_AGENTS)}")
    return kind


URL = Annotated[str, PlainValidator(_read_url), WithJsonSchema({"type": "string", "format": "uri"})]
Collector = Annotated[
    str, PlainValidator(_read_syslog), WithJsonSchema({"type": "string", "examples": ["tls://logs.example.net:6514"]})
]
Mailbox = Annotated[str, PlainValidator(_read_mailbox), WithJsonSchema({"type": "string", "format": "email"})]
# Below 5 s an agent that dials in anew would end its alert and begin another; an incident of days hides the next one.
ClearSpan = Annotated[float, PlainValidator(duration(5.0, 86_400.0)), WithJsonSchema({"type": "string"})]
UrgencyWord = Annotated[str, *_words(*notify.URGENCIES)]


class AlertmanagerShape(Shape):
    """An Alertmanager, by its API v2."""

    url: URL = Field(description="Where it answers, such as `http://alerts.example.net:9093`.")
    token_file: SecretPath | None = Field(None, description="File with a bearer token, where one is needed.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def target(self) -> notify.Alertmanager:
        """Give the model's."""
        return notify.Alertmanager(self.url, self.ca_file, self.token_file)


class PagerDutyShape(Shape):
    """PagerDuty, by its Events API v2."""

    key_file: SecretPath = Field(description="File with the integration's routing key.")
    url: URL = Field("https://events.pagerduty.com/v2/enqueue", description="Where events are taken.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def target(self) -> notify.PagerDuty:
        """Give the model's."""
        return notify.PagerDuty(self.key_file, self.url, self.ca_file)


class SlackShape(Shape):
    """A Slack incoming webhook."""

    url_file: SecretPath = Field(description="File with the webhook's URL, which is a secret.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def target(self) -> notify.Slack:
        """Give the model's."""
        return notify.Slack(self.url_file, self.ca_file)


class WebhookShape(Shape):
    """A program of your own, which takes signed JSON by POST."""

    url: URL = Field(description="Where it takes them.")
    secret_file: SecretPath = Field(description="File with the secret that signs them.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def target(self) -> notify.Webhook:
        """Give the model's."""
        return notify.Webhook(self.url, self.secret_file, self.ca_file)


class MailShape(Shape):
    """Mail, by an SMTP server."""

    server: Text = Field(description="The server that takes mails for delivery.")
    port: Port = Field(587, description="Its port.")
    tls: Annotated[str, *_words("starttls", "tls", "none")] = Field(
        "starttls", description="`starttls`, `tls` from the first octet, or `none`."
    )
    sender: Mailbox = Field(description="Whom mails are from.")
    to: Annotated[tuple[Mailbox, ...], ITEMS] = Field(description="Whom they are for.")
    user: Text | None = Field(None, description="Who logs in at the server, where that is needed.")
    password_file: SecretPath | None = Field(None, description="File with the user's password.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def review(self, findings: Findings) -> None:
        """A user has a password, and neither goes in clear."""
        if self.misread("user", "password_file", "tls"):
            return
        if (self.user is None) != (self.password_file is None):
            message = "`user` and `password_file` stand together, or neither does"
            self.add(findings, FindingKind.BAD_VALUE, "user" if self.user else "password_file", message)
        elif self.user is not None and self.tls == "none":
            self.add(findings, FindingKind.SECRET, "tls", "a password is never sent in clear: `starttls` or `tls`")

    def target(self) -> notify.Mail:
        """Give the model's."""
        return notify.Mail(
            self.server, self.sender, self.to, self.port, self.tls, self.user, self.password_file, self.ca_file
        )


class SyslogShape(Shape):
    """A collector of syslog messages."""

    place: Collector = Field(description="`tls://HOST:6514` or `tcp://HOST:601`.")
    ca_file: Path | None = Field(None, description="Certificates that its own is signed by; the system's by default.")

    def target(self) -> notify.Syslog:
        """Give the model's."""
        return notify.Syslog(self.place, self.ca_file)


class NotifierShape(Shape):
    """A way to tell somebody, under a name: exactly one of the kinds. All its files are on the controllers."""

    name: Name = Field(description="Name of the notifier, as routes write it.")
    alertmanager: AlertmanagerShape | None = Field(None, description="An Alertmanager, by its API v2.")
    pagerduty: PagerDutyShape | None = Field(None, description="PagerDuty, by its Events API v2.")
    slack: SlackShape | None = Field(None, description="A Slack incoming webhook.")
    webhook: WebhookShape | None = Field(None, description="A program of your own, which takes signed JSON by POST.")
    mail: MailShape | None = Field(None, description="Mail, by an SMTP server.")
    syslog: SyslogShape | None = Field(None, description="A collector of syslog messages.")

    def review(self, findings: Findings) -> None:
        """Exactly one kind."""
        given = [kind for kind in KINDS if kind in self.node.entries]
        misspelt = not given and not self.node.entries.keys() <= type(self).model_fields.keys()
        if len(given) != 1 and not misspelt:
            what = f"{' and '.join(given)} are given" if given else "none is given"
            message = f"a notifier has exactly one of {', '.join(KINDS)}; {what}"
            findings.add(FindingKind.NOTIFIER_KIND, self.node.place, self.node.path(), message)

    def notifier(self) -> notify.Notifier:
        """Give the model's. Only for a shape without findings."""
        target = next(each.target() for each in (getattr(self, kind) for kind in KINDS) if each is not None)
        return notify.Notifier(self.name, target)


class RouteShape(Shape):
    """Who is told of which notices. A notice goes all ways that take it; a filter that is not written takes all."""

    urgency: UrgencyWord = Field(description="`page` (somebody is woken) or `ticket` (somebody reads it later).")
    to: Annotated[tuple[NameReference, ...], ITEMS] = Field(description="Names of notifiers.")
    services: Annotated[tuple[NameReference, ...], ITEMS] | None = Field(
        None, description="Only of incidents that concern one of these services."
    )
    regions: Annotated[tuple[NameReference, ...], ITEMS] | None = Field(
        None, description="Only of incidents in one of these regions."
    )
    pops: Annotated[tuple[NameReference, ...], ITEMS] | None = Field(
        None, description="Only of incidents at one of these PoPs."
    )

    def route(self) -> notify.Route:
        """Give the model's."""
        return notify.Route(self.urgency, *map(_values, (self.to, self.services, self.regions, self.pops)))


def _values(placed: tuple[Placed[str], ...] | None) -> tuple[str, ...]:
    return tuple(each.value for each in placed or ())


class NotifyShape(Shape):
    """Who is told of incidents. Controllers read it from their own copy of the folder, at their start and at SIGHUP."""

    notifiers: Annotated[tuple[NotifierShape, ...], ITEMS] = Field(description="The ways to tell somebody.")
    routes: Annotated[tuple[RouteShape, ...], ITEMS] = Field(description="Which notices go which way.")
    urgency: Annotated[dict[Annotated[str, AfterValidator(_alert_kind)], UrgencyWord], ENTRIES] | None = Field(
        None,
        description=f"How urgent a kind of alert is, where it is not the usual `page`: {', '.join(sorted(OF_AGENTS))}.",
    )

    clear_after: ClearSpan | None = Field(
        None,
        description="How long an alert must be quiet to be over, 5s to 24h; what comes back sooner is the same alert.",
        json_schema_extra={"default": format_duration(Policy().clear_after_s)},
    )

    def review(self, findings: Findings) -> None:
        """Names are unique and known; every page has a way, and every notifier a use."""
        written = self.node.entries.get("notifiers")
        items = getattr(written, "items", ())
        names = {name for name in (item.text_of("name") for item in items if hasattr(item, "text_of")) if name}
        seen: set[str] = set()
        for each in self.notifiers:
            if each.name in seen:
                message = f"another notifier is called {each.name} already"
                each.add(findings, FindingKind.DUPLICATE_NAME, "name", message)
            seen.add(each.name)
        for route in self.routes:
            for placed in route.to:
                if placed.value not in names:
                    message = f"there is no notifier {placed.value!r}{did_you_mean(placed.value, names)}"
                    findings.add(FindingKind.UNKNOWN_NOTIFIER, placed.node.place, placed.node.path(), message)
        if self.misread("routes") or len(self.routes) != len(getattr(self.node.entries.get("routes"), "items", ())):
            return
        if not any(route.urgency == notify.PAGE and not _filtered(route) for route in self.routes):
            message = "no route takes every page: write one for `page` without filters, or a page may reach nobody"
            self.add(findings, FindingKind.NO_PAGE_ROUTE, "routes", message)
        used = {placed.value for route in self.routes for placed in route.to}
        for each in self.notifiers:
            if each.name not in used:
                each.add(findings, FindingKind.NO_EFFECT, "name", f"no route names {each.name}")

    def plan(self) -> notify.NotifyPlan:
        """Give the model's. Only for a shape without findings."""
        return notify.NotifyPlan(
            tuple(each.notifier() for each in self.notifiers),
            tuple(each.route() for each in self.routes),
            dict(self.urgency or {}),
            self.clear_after,
        )


def _filtered(route: RouteShape) -> bool:
    return any(each in route.node.entries for each in ("services", "regions", "pops"))
