"""How the API is set: by whoever makes the application."""

from dataclasses import dataclass

from anycastle.web.limits import Rate


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Settings of the API."""

    by_address: Rate = Rate(per_s=100.0, burst=300.0)
    """Requests of one address, whoever asks."""
    by_person: Rate = Rate(per_s=50.0, burst=200.0)
    """Requests of one token."""
    body_s: float = 120.0
    """How long a body may take to arrive."""
    streams_max: int = 500
    heartbeat_s: float = 15.0
    send_s: float = 30.0
    """How long a client may not take what is sent to it."""
