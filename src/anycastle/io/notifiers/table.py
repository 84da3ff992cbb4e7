"""All notifiers, by their part of the fleet's files."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from anycastle.io.notifiers.alertmanager import AlertmanagerSender
from anycastle.io.notifiers.mail import MailSender
from anycastle.io.notifiers.pagerduty import PagerDutySender
from anycastle.io.notifiers.port import Sender
from anycastle.io.notifiers.slack import SlackSender
from anycastle.io.notifiers.syslog import SyslogNotifier
from anycastle.io.notifiers.webhook import WebhookSender
from anycastle.model.notify import Alertmanager, Mail, NotifyPlan, PagerDuty, Slack, Syslog, Target, Webhook

TABLE: Final[Mapping[type[Target], Callable[[Any], Sender]]] = MappingProxyType(
    {
        Alertmanager: AlertmanagerSender,
        PagerDuty: PagerDutySender,
        Slack: SlackSender,
        Webhook: WebhookSender,
        Mail: MailSender,
        Syslog: SyslogNotifier,
    }
)


def sender_of(target: Target) -> Sender:
    """Give what sends to a target."""
    return TABLE[type(target)](target)


def senders_of(plan: NotifyPlan) -> dict[str, Sender]:
    """Give the senders of a plan by their names."""
    return {each.name: sender_of(each.target) for each in plan.notifiers}
