"""What a speaker tells of."""

from dataclasses import dataclass

from anycastle.model.prefix import Address, Family, Prefix
from anycastle.rib.loc_rib import BestChange
from anycastle.rib.route import Route
from anycastle.session.command import Cause
from anycastle.session.fsm import State
from anycastle.session.negotiation import Negotiated


@dataclass(frozen=True, slots=True)
class SessionUp:
    """A session is established."""

    upstream: str
    neighbour: Address
    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class SessionDown:
    """A session, or an attempt at one, ended; with `state` ESTABLISHED a session was lost."""

    upstream: str
    neighbour: Address
    state: State
    cause: Cause
    reason: str


@dataclass(frozen=True, slots=True)
class RoutesReceived:
    """A neighbour announced and withdrew routes."""

    upstream: str
    neighbour: Address
    announced: tuple[Route, ...]
    withdrawn: tuple[Prefix, ...]


@dataclass(frozen=True, slots=True)
class EndOfRIBReceived:
    """A neighbour has sent all that it had of a family."""

    upstream: str
    neighbour: Address
    family: Family


@dataclass(frozen=True, slots=True)
class BestChanged:
    """The best routes of an emulated network changed."""

    changes: tuple[BestChange, ...]


@dataclass(frozen=True, slots=True)
class SpeakerWarning:
    """Something that a human should look at; the session goes on."""

    subject: str
    text: str


SpeakerEvent = SessionUp | SessionDown | RoutesReceived | EndOfRIBReceived | BestChanged | SpeakerWarning
