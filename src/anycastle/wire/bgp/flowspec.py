"""FlowSpec rules as NLRI, of both families (RFC 8955 §4, RFC 8956 §3): values, octets and text.

A rule is a list of components that must all match, in ascending order of type. In the octets of MP_REACH_NLRI and
MP_UNREACH_NLRI each rule follows its length.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import Final

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import Family, Prefix
from anycastle.wire.bgp.error_codes import UpdateSubcode
from anycastle.wire.bgp.errors import Malformed

RULE_MAX: Final = 4095
"""Octets of a rule: its length has twelve bits (RFC 8955 §4.1)."""

_ONE_OCTET_LENGTHS: Final = 0xF0
_END, _AND, _SIZE, _OPERATOR = 0x80, 0x40, 0x30, 0x07


class ComponentKind(IntEnum):
    """Type of a component (RFC 8955 §4.2.2, RFC 8956 §3)."""

    DESTINATION = 1
    SOURCE = 2
    PROTOCOL = 3
    PORT = 4
    DESTINATION_PORT = 5
    SOURCE_PORT = 6
    ICMP_TYPE = 7
    ICMP_CODE = 8
    TCP_FLAGS = 9
    PACKET_LENGTH = 10
    DSCP = 11
    FRAGMENT = 12
    FLOW_LABEL = 13

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


_PREFIXES: Final = (ComponentKind.DESTINATION, ComponentKind.SOURCE)
_BITMASKS: Final = (ComponentKind.TCP_FLAGS, ComponentKind.FRAGMENT)
_KINDS: Final = {kind.value: kind for kind in ComponentKind}


class Comparison(IntEnum):
    """How a number is compared: bits less, greater, equal (RFC 8955 §4.2.1.1)."""

    FALSE = 0
    EQUAL = 1
    GREATER = 2
    AT_LEAST = 3
    LESS = 4
    AT_MOST = 5
    NOT_EQUAL = 6
    TRUE = 7


class BitTest(IntEnum):
    """How bits are tested: bits not, match (RFC 8955 §4.2.1.2)."""

    ANY = 0
    ALL = 1
    NOT_ANY = 2
    NOT_ALL = 3


_SIGNS: Final = ("false", "=", ">", ">=", "<", "<=", "!=", "true")
_TESTS: Final = ("", "=", "!", "!=")
_BIT_NAMES: Final = {
    ComponentKind.TCP_FLAGS: ("fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"),
    ComponentKind.FRAGMENT: ("dont-fragment", "is-fragment", "first-fragment", "last-fragment"),
}


@dataclass(frozen=True, slots=True)
class PrefixComponent:
    """An address within a prefix; the first `offset` bits of an IPv6 one are not compared (RFC 8956 §3.1)."""

    kind: ComponentKind
    prefix: Prefix
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.prefix}" + (f" offset {self.offset}" if self.offset else "")


@dataclass(frozen=True, slots=True)
class Comparand:
    """A number and how to compare with it; `conjoined` binds it to the one before by and, otherwise by or."""

    comparison: Comparison
    value: int
    conjoined: bool = False


@dataclass(frozen=True, slots=True)
class NumericComponent:
    """A number of the packet, compared."""

    kind: ComponentKind
    terms: tuple[Comparand, ...]

    def __str__(self) -> str:
        texts = [
            _SIGNS[term.comparison] + (str(term.value) if Comparison.FALSE < term.comparison < Comparison.TRUE else "")
            for term in self.terms
        ]
        return f"{self.kind} {_joined(texts, self.terms)}"


@dataclass(frozen=True, slots=True)
class Bits:
    """Bits and how to test them; `conjoined` binds the test to the one before by and, otherwise by or."""

    test: BitTest
    value: int
    conjoined: bool = False


@dataclass(frozen=True, slots=True)
class BitmaskComponent:
    """Bits of the packet, tested."""

    kind: ComponentKind
    terms: tuple[Bits, ...]

    def __str__(self) -> str:
        texts = [_TESTS[term.test] + _bit_names(self.kind, term.value) for term in self.terms]
        return f"{self.kind} {_joined(texts, self.terms)}"


Component = PrefixComponent | NumericComponent | BitmaskComponent


@dataclass(frozen=True, slots=True)
class FlowRule:
    """A rule: what a packet must match, every component of it."""

    components: tuple[Component, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.components))


def _joined(texts: list[str], terms: tuple[Comparand, ...] | tuple[Bits, ...]) -> str:
    signs = ["", *["&" if term.conjoined else "," for term in terms[1:]]]
    return "".join(sign + text for sign, text in zip(signs, texts, strict=True))


def _bit_names(kind: ComponentKind, value: int) -> str:
    names = _BIT_NAMES[kind]
    if not value or value >> len(names):
        return f"{value:#x}"
    return "+".join(name for bit, name in enumerate(names) if value >> bit & 1)


def decode_flowspec(octets: bytes, afi: int) -> tuple[FlowRule, ...] | Malformed:
    """Decode the rules in a FlowSpec attribute's NLRI; `afi` is 1 or 2."""
    family = Family(afi)
    rules: list[FlowRule] = []
    position, end = 0, len(octets)
    while position < end:
        length = octets[position]
        start = position + 1
        if length >= _ONE_OCTET_LENGTHS:
            length = int.from_bytes(octets[position : position + 2]) & RULE_MAX
            start = position + 2
        position = start + length
        if position > end or not length:
            return _bad(f"a rule of {length} octets")
        rule = _decode_rule(octets[start:position], family)
        if isinstance(rule, Malformed):
            return rule
        rules.append(rule)
    return tuple(rules)


def _bad(what: str) -> Malformed:
    return Malformed(f"FlowSpec: {what}", UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR)


def _decode_rule(octets: bytes, family: Family) -> FlowRule | Malformed:
    components: list[Component] = []
    position, last = 0, 0
    while position < len(octets):
        kind = _KINDS.get(octets[position])
        if kind is None or (kind is ComponentKind.FLOW_LABEL and family is Family.IPV4):
            return _bad(f"component {octets[position]} is not known")
        if kind <= last:
            return _bad(f"component {kind} stands after {last}")
        last = kind
        decode = _decode_prefix if kind in _PREFIXES else _decode_terms
        decoded = decode(octets, position + 1, kind, family)
        if decoded is None:
            return _bad(f"component {kind} cannot be read")
        component, position = decoded
        components.append(component)
    return FlowRule(tuple(components))


def _decode_prefix(octets: bytes, position: int, kind: ComponentKind, family: Family) -> tuple[Component, int] | None:
    fixed = 1 if family is Family.IPV4 else 2
    if position + fixed > len(octets):
        return None
    length = octets[position]
    offset = octets[position + 1] if fixed == 2 else 0
    if length > family.bits or offset > length or (offset and offset == length):
        return None
    significant = length - offset
    size = (significant + 7) >> 3
    start = position + fixed
    if start + size > len(octets):
        return None
    pattern = int.from_bytes(octets[start : start + size]) >> (8 * size - significant)
    prefix = Prefix(family, pattern << (family.bits - length), length)
    return PrefixComponent(kind, prefix, offset), start + size


def _decode_terms(octets: bytes, position: int, kind: ComponentKind, _family: Family) -> tuple[Component, int] | None:
    terms: list[tuple[int, int, bool]] = []
    while position < len(octets):
        head = octets[position]
        size = 1 << ((head & _SIZE) >> 4)
        start = position + 1
        position = start + size
        if position > len(octets):
            return None
        conjoined = bool(head & _AND) and bool(terms)  # the first one's bit means nothing (RFC 8955 §4.2.1.1)
        terms.append((head & _OPERATOR, int.from_bytes(octets[start:position]), conjoined))
        if head & _END:
            return _terms_component(kind, terms), position
    return None


def _terms_component(kind: ComponentKind, terms: list[tuple[int, int, bool]]) -> Component:
    if kind in _BITMASKS:
        return BitmaskComponent(kind, tuple([Bits(BitTest(test & 3), value, both) for test, value, both in terms]))
    return NumericComponent(kind, tuple([Comparand(Comparison(sign), value, both) for sign, value, both in terms]))


def encode_flowspec(rules: Iterable[FlowRule]) -> bytes:
    """Encode rules, each with its length. Raises `MisuseError` for one that is not in order, or too long."""
    return b"".join(map(_encode_rule, rules))


def _encode_rule(rule: FlowRule) -> bytes:
    kinds = [component.kind for component in rule.components]
    if not kinds or any(first >= second for first, second in pairwise(kinds)):
        raise MisuseError("a rule has components, each once and in ascending order of type")
    octets = b"".join(map(_encode_component, rule.components))
    if len(octets) > RULE_MAX:
        raise MisuseError(f"a rule of {len(octets)} octets is over the limit of {RULE_MAX}")
    if len(octets) < _ONE_OCTET_LENGTHS:
        return bytes((len(octets),)) + octets
    return (0xF000 | len(octets)).to_bytes(2) + octets


def _encode_component(component: Component) -> bytes:
    match component:
        case PrefixComponent(kind, prefix, offset):
            significant = prefix.length - offset
            size = (significant + 7) >> 3
            pattern = prefix.network >> (prefix.family.bits - prefix.length) << (8 * size - significant)
            head = (kind, prefix.length) if prefix.family is Family.IPV4 else (kind, prefix.length, offset)
            return bytes(head) + pattern.to_bytes(size)
        case NumericComponent(kind, numbers):
            terms = [(term.comparison.value, term.value, term.conjoined) for term in numbers]
        case BitmaskComponent(kind, tests):
            terms = [(term.test.value, term.value, term.conjoined) for term in tests]
    return bytes((kind,)) + _encode_terms(terms)


def _encode_terms(terms: list[tuple[int, int, bool]]) -> bytes:
    if not terms:
        raise MisuseError("a component compares with something")
    parts: list[bytes] = []
    for index, (operator, value, conjoined) in enumerate(terms):
        exponent = next((e for e in range(4) if value < 1 << (8 << e)), None)
        if exponent is None or value < 0:
            raise MisuseError(f"{value} does not fit eight octets")
        head = operator | exponent << 4
        head |= _AND if conjoined and index else 0
        head |= _END if index == len(terms) - 1 else 0
        parts.append(bytes((head,)) + value.to_bytes(1 << exponent))
    return b"".join(parts)
