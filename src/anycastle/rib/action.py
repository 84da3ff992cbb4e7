"""What a network lets its customers ask for by community: the actions of an upstream's vocabulary."""

from collections.abc import Mapping
from dataclasses import dataclass

from anycastle.base.errors import ParseError
from anycastle.base.limits import AS_PATH_PREPEND_MAX
from anycastle.model.asn import ASN, parse_asn
from anycastle.model.community import Community


@dataclass(frozen=True, slots=True)
class PrependTo:
    """Prepend `times` towards one neighbouring AS, or towards all (None)."""

    times: int
    target: ASN | None = None


@dataclass(frozen=True, slots=True)
class SuppressTo:
    """Do not announce to one neighbouring AS, or to any (None)."""

    target: ASN | None = None


@dataclass(frozen=True, slots=True)
class SetLocalPreference:
    """Use this local preference within the network."""

    value: int


CommunityAction = PrependTo | SuppressTo | SetLocalPreference


def parse_action(word: str) -> CommunityAction | None:
    """Parse a vocabulary's word: `prepend-2`, `prepend-2-to-64602`, `no-announce`, `no-announce-to-64602`,
    `local-pref-80`. Gives None for a word that is no such action. Raises `ParseError` for a number out of range.
    """
    match word.split("-"):
        case ["prepend", times]:
            return PrependTo(_times(times, word))
        case ["prepend", times, "to", asn]:
            return PrependTo(_times(times, word), parse_asn(asn))
        case ["no", "announce"]:
            return SuppressTo()
        case ["no", "announce", "to", asn]:
            return SuppressTo(parse_asn(asn))
        case ["local", "pref", value] if value.isdigit() and int(value) <= 0xFFFFFFFF:
            return SetLocalPreference(int(value))
    return None


def actions_of(vocabulary: Mapping[str, Community]) -> dict[Community, CommunityAction]:
    """Give what each community of a vocabulary makes its network do; words that are no action are left out."""
    parsed = ((community, parse_action(word)) for word, community in vocabulary.items())
    return {community: action for community, action in parsed if action is not None}


def _times(text: str, word: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= AS_PATH_PREPEND_MAX:
        raise ParseError(f"{word!r}: a network prepends 1 to {AS_PATH_PREPEND_MAX} times")
    return int(text)
