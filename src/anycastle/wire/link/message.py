"""The messages of the link, as shapes: what agents say, and what controllers say.

`kind` is the class's name in small letters. Fields that a reader does not know are passed over, so a later release
may add some with a default; what changes the meaning of a message takes a new kind and a new version.
"""

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from anycastle.model.permit import PermitState
from anycastle.wire.link.limits import EVENTS_MAX, Clock, Count, Label, Name, Seconds, Text


def _kind_of(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


class Message(msgspec.Struct, frozen=True, tag_field="kind", tag=_kind_of, omit_defaults=True):
    """What all messages are."""


class EventRow(msgspec.Struct, frozen=True):
    """A row of the agent's event log, as it stands there; its number follows from its place in the message."""

    at: Clock
    event: Name
    """Its kind."""
    fields: Raw
    hash: Annotated[str, Meta(max_length=64)] = ""
    """SHA-256 of the row, in hexadecimal digits."""


class PermitShape(msgspec.Struct, frozen=True, omit_defaults=True):
    """`model.permit.PermitReport`."""

    service: Name
    state: PermitState
    epoch: Count
    exported: bool
    wanted: bool = False


Section = dict[Name, Raw]
"""Entries of one part of an agent's state, each JSON; an entry's name is its service, route or session."""


# -- agents say ----------------------------------------------------------------------------------------------------


class Hello(Message, frozen=True):
    """The first word of a session."""

    versions: Annotated[list[Count], Meta(min_length=1, max_length=16)]
    """All that the agent speaks."""
    pop: Name
    agent_version: Label
    clock: Clock
    term: Count = 0
    """The highest of a controller that the agent ever spoke with."""
    assignment: Label = ""
    """The digest that it lives by."""
    log: Label = ""
    """What tells its event log from another one; empty while it has none."""


class Report(Message, frozen=True):
    """Sections of the agent's state, each told whole. `base` 0: all of them, and nothing that was told before holds."""

    revision: Count
    base: Count
    digest: Name
    """Of all entries of all sections, once this is taken (`session.link_report`)."""
    sections: dict[Name, Section]


class Delta(Message, frozen=True):
    """Entries that changed or are gone since the report `base`."""

    revision: Count
    base: Count
    digest: Name
    changed: dict[Name, Section] = {}
    gone: dict[Name, list[Name]] = {}


class Permits(Message, frozen=True):
    """What the agent says of its permits: at first of all services, then of those where it changed.

    A service of which nothing may be said yet is left out (`daemons.agent_link`); nothing is known of it.
    """

    reports: list[PermitShape]


class Events(Message, frozen=True):
    """Rows of the agent's log, from the number `first` on. Said until acknowledged: they may come twice."""

    log: Name
    first: Count
    events: Annotated[list[EventRow], Meta(min_length=1, max_length=EVENTS_MAX)]


class Taken(Message, frozen=True):
    """The agent lives by this assignment."""

    digest: Name


class Refused(Message, frozen=True):
    """The agent does not take this assignment; it lives on by the one before."""

    digest: Name
    reason: Text


class OrderDone(Message, frozen=True):
    """An order was carried out, now or when it came before."""

    id: Name


class OrderRefused(Message, frozen=True):
    """An order was not carried out, and will not be."""

    id: Name
    reason: Text


class Ping(Message, frozen=True):
    """Asks for a sign of life."""

    number: Count
    clock: Clock


# -- controllers say -------------------------------------------------------------------------------------------------


class Welcome(Message, frozen=True):
    """The agent is heard from here on."""

    version: Count
    term: Count
    heartbeat_s: Annotated[float, Meta(ge=0.05, le=3600.0)]
    events_acked: Count
    """The last of the agent's log that is stored."""
    events_window: Annotated[int, Meta(ge=1, le=100_000)]
    clock: Clock


class Assign(Message, frozen=True):
    """What the PoP is to do, in octets that the link does not read."""

    digest: Name
    octets: bytes


class Grant(Message, frozen=True):
    """The agent may withdraw a service."""

    service: Name
    epoch: Count


class Revoke(Message, frozen=True):
    """The agent is asked to give a permit up."""

    service: Name
    epoch: Count


class Order(Message, frozen=True):
    """What an operator asks of an agent. Sent again with the same `id` it is answered, and not carried out again."""

    id: Name
    order: Name
    """`drain`, `undrain`."""
    services: Annotated[list[Name], Meta(max_length=10_000)]
    owner: Label
    reason: Text = ""
    parameters: dict[Name, float] = {}


class EventsAcked(Message, frozen=True):
    """Events up to this number are stored."""

    upto: Count


class ReportAcked(Message, frozen=True):
    """The report was taken: the next may have it as its base."""

    revision: Count


class ReportWanted(Message, frozen=True):
    """The controller has no base for a report, or another digest: tell it all."""


class Pong(Message, frozen=True):
    """Answers a Ping with its number and clock, and the controller's own clock."""

    number: Count
    clock: Clock
    controller_clock: Clock


class Bye(Message, frozen=True):
    """The last word of a session, of either side."""

    reason: Text
    retry_s: Seconds = 0.0
    """Do not come back sooner."""
    leader: Label = ""
    """Where the controller is that leads."""


AgentMessage = (
    Hello | Report | Delta | Permits | Events | Taken | Refused | OrderDone | OrderRefused | Ping | Bye
)  # fmt: skip
ControllerMessage = (
    Welcome | Assign | Grant | Revoke | Order | EventsAcked | ReportAcked | ReportWanted | Pong | Bye
)  # fmt: skip
