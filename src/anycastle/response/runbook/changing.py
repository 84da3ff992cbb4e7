"""Which commands change something, and which move traffic. A test holds the tables against the command line.

A command that is in neither set only looks. A check may not change anything; what moves traffic needs an approval.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

DANGEROUS: Final = frozenset(
    {
        ("adopt",),
        ("apply",),
        ("agent", "drain"),
        ("agent", "undrain"),
        ("agent", "forget-assignment"),
        ("break-glass",),
        ("drain",),
        ("mitigate", "end"),
        ("mitigate", "hijack"),
        ("restore",),
        ("rollout", "abort"),
        ("rollout", "promote"),
        ("rollout", "resume"),
        ("steer",),
        ("thaw",),
        ("undrain",),
        ("withdraw",),
    }
)
"""These move traffic, or let something move it again."""

HARMLESS: Final = frozenset(
    {
        ("backup",),
        ("controller", "migrate"),
        ("freeze",),
        ("incidents", "ack"),
        ("incidents", "note"),
        ("init",),
        ("lab", "down"),
        ("lab", "up"),
        ("notify", "again"),
        ("notify", "test"),
        ("pki", "init"),
        ("pki", "issue"),
        ("rollout", "pause"),
    }
)
"""These change something, and move no traffic by themselves."""


_PERSON: Final = "an approval is a person's, and no step of a runbook"
_SECRET: Final = "what it answers is a secret, and would stand in the log"

FORBIDDEN: Final[Mapping[tuple[str, ...], str]] = MappingProxyType(
    {
        ("controller", "token"): _SECRET,
        ("login",): _SECRET,
        ("rollout", "approve"): _PERSON,
        ("runbook", "approve"): _PERSON,
        ("runbook", "resume"): "a runbook does not carry out another",
        ("runbook", "run"): "a runbook does not carry out another",
    }
)
"""What no runbook runs, and why."""


def why_forbidden(words: Sequence[str]) -> str:
    """Give why no step may run a command; empty where one may."""
    return next((why for path, why in FORBIDDEN.items() if path in _first(words)), "")


def _first(words: Sequence[str]) -> set[tuple[str, ...]]:
    """Give what a line may be the command of: its first word, and its first two."""
    named = [word for word in words[1:] if not word.startswith("-")]
    return {tuple(named[:1]), tuple(named[:2])}


def is_dangerous(words: Sequence[str]) -> bool:
    """Tell whether a command moves traffic."""
    return not DANGEROUS.isdisjoint(_first(words))


def changes(words: Sequence[str]) -> bool:
    """Tell whether a command changes anything."""
    return is_dangerous(words) or not HARMLESS.isdisjoint(_first(words))
