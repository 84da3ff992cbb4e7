"""Who may do what with a controller: people and robots, their roles, and the services that a role is limited to."""

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    """What somebody is allowed to do; an admin may do all of it."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    APPROVER = "approver"
    ADMIN = "admin"
    PROBER = "prober"
    """A vantage point: it hands in its results, and reads nothing."""
    WATCH = "watch"
    """A watch on another machine: it tells what it finds, and reads nothing."""


MACHINES = frozenset({Role.PROBER, Role.WATCH})
"""Roles of machines that hand in what concerns all services, and do nothing else."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, for all services or for some."""

    role: Role
    services: frozenset[str] | None = None
    """None stands for all; an empty set for none."""

    def covers(self, services: frozenset[str]) -> bool:
        """Tell whether all of these services are within it."""
        return self.services is None or services <= self.services

    @property
    def futile(self) -> str:
        """Tell why nobody could do anything with it; '' where somebody could."""
        if self.role in MACHINES and self.services is not None:
            return (
                f"a {self.role.value} hands in what concerns all services: one that is limited to some may do nothing"
            )
        return ""

    def within(self, other: "Grant") -> bool:
        """Tell whether whoever has another grant can do all that this one allows."""
        below = {Role.OPERATOR: (Role.VIEWER, Role.PROBER, Role.WATCH), Role.APPROVER: (Role.VIEWER,)}
        role = other.role is Role.ADMIN or self.role is other.role or self.role in below.get(other.role, ())
        return role and (other.services is None or (self.services is not None and self.services <= other.services))
