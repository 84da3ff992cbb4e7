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


_GROUPS: Final = frozenset(path[0] for path in (*DANGEROUS, *HARMLESS, *FORBIDDEN) if len(path) > 1)
"""Commands whose second word decides what they are."""


def why_forbidden(words: Sequence[str]) -> str:
    """Give why no step may run a command; empty where one may.

    Which command it is stands in its first words, as they are: an option before them, or a value in their place, would
    hide it from these tables.
    """
    deciding = words[1:3] if words[1:2] and words[1] in _GROUPS else words[1:2]
    if any(word.startswith("-") or "{" in word for word in deciding if word not in _ASKING):
        return "the command's own words come first, without options and parameters among them"
    return next((why for path, why in FORBIDDEN.items() if path in _first(words)), "")


_ASKING: Final = frozenset({"-h", "--help", "--version"})


def _first(words: Sequence[str]) -> set[tuple[str, ...]]:
    """Give what a line may be the command of: its first word, and its first two."""
    return {tuple(words[1:2]), tuple(words[1:3])}


def is_dangerous(words: Sequence[str]) -> bool:
    """Tell whether a command moves traffic."""
    return not DANGEROUS.isdisjoint(_first(words))


def changes(words: Sequence[str]) -> bool:
    """Tell whether a command changes anything."""
    return is_dangerous(words) or not HARMLESS.isdisjoint(_first(words))
