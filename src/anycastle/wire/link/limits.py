"""The bounds of the link: of a message, of what is under way, of names and texts."""

from typing import Annotated, Final

from msgspec import Meta

VERSIONS: Final = (1, 2)
"""The versions of the protocol that are spoken. A release speaks its own and the one before it."""

DELTA_VERSION: Final = 2
"""From this version on a report may tell single entries; before it, a section that changed is told whole."""

MESSAGE_OCTETS_MAX: Final = 8 * 1024 * 1024
"""Octets of one message: an assignment or a full report of a thousand services is well below it."""

EVENTS_MAX: Final = 128
"""Events of one message."""

EVENTS_WINDOW: Final = 256
"""Events that an agent may have under way; a controller that is slow to store them hears no more until it has."""

ORDERS_MAX: Final = 64
"""Orders that an agent may have under way, and a controller may have sent to one."""

COMMANDS_MAX: Final = 10_000
"""Grants and revocations that wait for an agent that does not read: one a service, the latest."""

HEARTBEAT_S: Final = 3.0
"""How often an agent asks for a sign of life. Three that are missed end a session: sooner than the 10 s for which a
controller waits for a PoP to come back."""

MISSED_MAX: Final = 3

COUNT_MAX: Final = 2**53
"""The largest number that JSON carries without loss."""

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Label = Annotated[str, Meta(max_length=255)]
"""A name, or nothing."""
Text = Annotated[str, Meta(max_length=4096)]
Count = Annotated[int, Meta(ge=0, le=COUNT_MAX)]
Seconds = Annotated[float, Meta(ge=0.0, le=86_400.0)]
Clock = Annotated[float, Meta(ge=0.0, le=1e11)]
"""Wall time in seconds since 1970; what is beyond the year 5138 is none."""
