"""path_rule: a path that the operator's own rules do not want."""

import re
from functools import lru_cache
from typing import Final

from anycastle.model.watch import PathRule
from anycastle.watch.claim import Life, Suspicion
from anycastle.watch.detectors.contract import RouteContext, RouteDetector
from anycastle.watch.table import Concern

NAME: Final = "path_rule"
_SCORE: Final = 50
_PATTERNS_KEPT: Final = 1024


def suspect(context: RouteContext) -> Suspicion | None:
    """Suspect a path that a rule matches, with the first rule's reason."""
    if context.concerned.concern is Concern.COVERING or context.state.path is None:
        return None
    path = context.state.path
    text = " ".join(map(str, path.asns))
    for number, rule in enumerate(context.watched.path_rules, 1):
        reason = broken(rule, text, path.length)
        if reason is not None:
            return Suspicion(NAME, f"rule {number}", _SCORE, (reason,))
    return None


def broken(rule: PathRule, text: str, length: int) -> str | None:
    """Say how a path breaks a rule, or None. A length that the rule wants does not break it."""
    if not _pattern(rule.match).search(text) or (rule.unless is not None and _pattern(rule.unless).search(text)):
        return None
    why = f": {rule.reason}" if rule.reason else ""
    if rule.shortest is None and rule.longest is None:
        return f"the path {text} matches {rule.match!r}{why}"
    if rule.longest is not None and length > rule.longest:
        return f"the path {text} matches {rule.match!r} and is longer than {rule.longest}{why}"
    if rule.shortest is not None and length < rule.shortest:
        return f"the path {text} matches {rule.match!r} and is shorter than {rule.shortest}{why}"
    return None


@lru_cache(_PATTERNS_KEPT)
def _pattern(text: str) -> "re.Pattern[str]":
    return re.compile(text)


DETECTOR: Final = RouteDetector(NAME, suspect, Life(clear_s=60.0))
