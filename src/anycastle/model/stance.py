"""What a PoP does with a service, as agents decide it and say it."""

from enum import Enum


class Stance(Enum):
    """What the PoP means to do with a service."""

    ANNOUNCE = "announce"
    STEER = "steer"
    WITHDRAW = "withdraw"


class DrainStep(Enum):
    """Where a drain stands."""

    NORMAL = "normal"
    SHUTTING = "shutting"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
