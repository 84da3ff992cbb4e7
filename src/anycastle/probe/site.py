"""Which PoP a server's name stands for, and whether it is one that may answer."""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from anycastle.base.errors import ParseError

AIRPORT: Final = r"(?<![A-Za-z])([A-Za-z]{3})\d*(?:[.-]|$)"
"""Finds an airport's code in a server's name, as most operators put it: three letters that stand for themselves."""


@dataclass(frozen=True, slots=True)
class SiteRule:
    """How a PoP is found in a server's name: the one group of `pattern`; and which PoPs there are, if that is known."""

    pattern: re.Pattern[str]
    authorised: AbstractSet[str] = frozenset()
    """Empty where any may answer."""

    def pop_of(self, server: str) -> str:
        """Give the PoP; '' where the pattern finds none."""
        found = self.pattern.search(server)
        return (found[1] or "") if found else ""

    def allows(self, pop: str) -> bool:
        """Tell whether this PoP may answer."""
        return not self.authorised or pop in self.authorised


def parse_site_rule(pattern: str, authorised: AbstractSet[str] = frozenset()) -> SiteRule:
    """Give the rule of a pattern with one group. Raises `ParseError`."""
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ParseError(f"{pattern!r} is no pattern: {error}") from error
    if expression.groups != 1:
        raise ParseError(f"{pattern!r} has {expression.groups} groups; the one group is the PoP's name")
    return SiteRule(expression, authorised)
