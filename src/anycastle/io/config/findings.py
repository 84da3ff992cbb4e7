"""What is wrong with a fleet folder: the table of all findings, and one finding with its place."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from typing import NamedTuple


class Severity(Enum):
    """An ERROR keeps the folder from being used; a WARNING asks for a second look."""

    ERROR = "error"
    WARNING = "warning"


_E, _W = Severity.ERROR, Severity.WARNING


class FindingKind(Enum):
    """Every kind of finding: its code, severity, title, and what to do about it. Codes are never used again."""

    UNREADABLE = (
        "CFG001",
        _E,
        "Unreadable file or folder",
        "Mend the permissions, the link or the path. Only regular files are read.",
    )
    NOT_UTF8 = ("CFG002", _E, "Not UTF-8", "Save the file as UTF-8.")
    TOO_LARGE = ("CFG003", _E, "Beyond a limit", "Split the file, or undo the aliases that expand into one another.")
    SYNTAX = ("CFG004", _E, "Not YAML", "Mend the YAML at the place given; the cause may stand a line earlier.")
    DUPLICATE_KEY = ("CFG005", _E, "Key given twice", "Keep one of the two; both places are given.")
    UNSUPPORTED = (
        "CFG006",
        _E,
        "YAML that is not accepted",
        (
            "Use plain mappings, lists and values of one YAML 1.2 document: no tags, no directives, no keys that "
            "are lists, no alias within its own anchor."
        ),
    )
    MISPLACED_FILE = (
        "CFG007",
        _E,
        "File that would not be read",
        (
            "Use `fleet.yaml`, `pops/*.yaml` and `services/*.yaml`; a file passed over in silence would be missed"
            " too late."
        ),
    )
    MISSING_FILE = ("CFG008", _E, "Missing file", "A fleet is `fleet.yaml`, at least one PoP and at least one service.")
    UNKNOWN_KEY = (
        "CFG010",
        _E,
        "Unknown key",
        (
            "Mend the spelling, or remove the key. Keys of the outermost level that begin with `x-` are passed "
            "over: they can hold anchors."
        ),
    )
    MISSING_KEY = ("CFG011", _E, "Missing key", "Add the key.")
    WRONG_TYPE = ("CFG012", _E, "Value of the wrong type", "Write a value of the type that the message names.")
    BAD_VALUE = ("CFG013", _E, "Value that cannot be", "Write a value within the range or form that the message names.")
    UNIT = ("CFG014", _E, "Missing or unknown unit", "Write durations as `250ms`, `1s`, `5m` and capacities as `10G`.")
    EMPTY = (
        "CFG015",
        _E,
        "Empty value",
        "Name what is meant, write `all` where it is allowed, or remove the key. An empty list never means all.",
    )
    SECRET = (
        "CFG016",
        _E,
        "Secret in the folder",
        "Put the secret into a file of its own on the PoP, and name that file.",
    )
    PITFALL = (
        "CFG017",
        _E,
        "Value that YAML versions read differently",
        "Write `true` or `false`, and numbers without leading zeros or colons.",
    )
    UNKNOWN_POP = ("CFG020", _E, "Unknown PoP", "Name a PoP of `pops/`; an override must name a PoP of its service.")
    UNKNOWN_UPSTREAM = ("CFG021", _E, "Unknown upstream", "Name an upstream of that PoP.")
    UNKNOWN_REGION = ("CFG022", _E, "Unknown region", "Name a region of `fleet.yaml`, or add it there.")
    UNKNOWN_WORD = (
        "CFG023",
        _E,
        "Unknown community",
        "Write a community, a well-known name, or a word of the vocabulary of every upstream that it goes to.",
    )
    DUPLICATE_NAME = ("CFG024", _E, "Name given twice", "Rename one of the two; both places are given.")
    REPEATED = ("CFG025", _E, "Listed twice", "Remove one of the two; both places are given.")
    SESSION_CLASH = (
        "CFG026",
        _E,
        "Same session or router id twice",
        "Two sessions of a PoP need different neighbours, and two routers of an AS different ids (RFC 6286).",
    )
    PREFIX_LENGTH = (
        "CFG030",
        _E,
        "Prefix longer than the Internet carries",
        "Announce /24 or shorter (IPv4), /48 or shorter (IPv6).",
    )
    OVERLAP = (
        "CFG031",
        _E,
        "Overlapping prefixes",
        "Give each service prefixes of its own, or list the common prefix under `shared_prefixes`.",
    )
    OUTSIDE = ("CFG032", _E, "Address or mitigation outside the prefixes", "Add the prefix, or mend what is outside.")
    NOT_UNICAST = ("CFG033", _E, "Prefix that cannot be announced", "Use a unicast prefix.")
    COVERED = (
        "CFG034",
        _W,
        "Prefix within another of its service",
        "Keep both only if the more specific one is meant.",
    )
    SHARED_UNUSED = ("CFG035", _W, "Shared prefix that is not shared", "Remove the entry, or mend the prefix.")
    FAMILY = (
        "CFG036",
        _E,
        "Address families that do not match",
        "Give both ends of a session addresses of one family.",
    )
    HOLD_TIME = ("CFG040", _E, "Impossible hold time", "Use 0, or 3 s and more (RFC 4271 §4.2).")
    SLOW_DETECTION = (
        "CFG041",
        _W,
        "A dead PoP would be noticed late",
        "Turn BFD on, or use a hold time of 3 s to 30 s.",
    )
    PRIVATE_TRANSIT = (
        "CFG042",
        _W,
        "Private ASN as transit",
        "Check the ASN: no transit on the Internet has a private one (RFC 6996).",
    )
    RESERVED_ASN = (
        "CFG043",
        _E,
        "Reserved ASN",
        "Use an ASN that a network may have (RFC 7607, RFC 7300, RFC 6793 §9).",
    )
    UNSEEN = (
        "CFG044",
        _W,
        "Local preference that no neighbour sees",
        "Only an iBGP neighbour is told it; use a community of the upstream.",
    )
    SILENT_POP = (
        "CFG045",
        _W,
        "PoP that announces to nobody",
        "Remove the PoP from the service, or announce to one upstream at least.",
    )
    TIMING = ("CFG050", _E, "Check timing that cannot hold", "Keep `timeout` and `confirm_interval` within `interval`.")
    CHECK_KIND = (
        "CFG051",
        _E,
        "Check without one clear kind",
        "Give exactly one of `http`, `tcp`, `tls`, `dns`, `icmp`, `exec`, `file`, `systemd`, `prometheus`.",
    )
    NO_HARD_CHECK = (
        "CFG052",
        _E,
        "No hard check",
        "Give a service at least one check of severity `hard`; without one it would be announced when dead.",
    )
    QUORUM = (
        "CFG053",
        _E,
        "Impossible quorum",
        "Write `all`, `any` or `n of m`, where m is the number of hard checks.",
    )
    FLOOR_IMPOSSIBLE = ("CFG060", _E, "Floor above what exists", "Lower the floor, or add PoPs to the service.")
    NO_FLOOR = ("CFG061", _E, "No floor", "Keep at least one PoP, or write `allow_no_floor: true` beside `pops: 0`.")
    FLOOR_TIGHT = (
        "CFG062",
        _W,
        "Floor that no PoP may leave",
        "No PoP holds a permit, so none withdraws on its own: lower the floor, or add a PoP.",
    )
    CAPACITY_UNKNOWN = (
        "CFG063",
        _E,
        "Capacity not stated",
        "State the capacity of each PoP of a service whose floor counts capacity.",
    )
    DAMPENING = (
        "CFG070",
        _E,
        "Dampening that cannot work",
        "Keep `reuse` below `suppress`, and let `max_suppress` allow a penalty of `suppress` (RFC 2439 §4.2).",
    )
    WINDOW = ("CFG071", _E, "Window that ends before it begins", "Mend the start or the end.")
    NO_EFFECT = ("CFG072", _W, "Setting without effect", "Remove it, or set what it depends on.")
    NOTIFIER_KIND = (
        "CFG080",
        _E,
        "Notifier without one clear kind",
        "Give exactly one of `alertmanager`, `pagerduty`, `slack`, `webhook`, `mail`, `syslog`.",
    )
    UNKNOWN_NOTIFIER = ("CFG081", _E, "Unknown notifier", "Name a notifier of `notify.notifiers`, or add it there.")
    NO_PAGE_ROUTE = (
        "CFG082",
        _E,
        "Page that may reach nobody",
        "Write one route with `urgency: page` and no filters; others may add to it.",
    )
    UNKNOWN_SERVICE = ("CFG083", _E, "Unknown service", "Name a service of `services/`.")

    def __init__(self, code: str, severity: Severity, title: str, advice: str) -> None:
        self.code = code
        self.severity = severity
        self.title = title
        self.advice = advice


class Place(NamedTuple):
    """Where something stands: line and column count characters from 1.

    1:1 stands for a whole file, and 0:0 for what has no lines: a folder, or a file that is not there.
    """

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or doubtful. `path` is the key's path, such as `upstreams[0].asn`."""

    file: str
    line: int
    column: int
    path: str
    code: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        place = f"{Place(self.file, self.line, self.column)}: "
        path = f"{self.path}: " if self.path else ""
        warning = "warning: " if self.severity is Severity.WARNING else ""
        return f"{place}{path}{warning}{self.message} [{self.code}]"


class Findings:
    """Collects findings; the same one twice counts once."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}
        self.errors = 0
        """Errors so far; two readings tell whether something in between went wrong."""

    def add(self, kind: FindingKind, place: Place, path: str, message: str) -> None:
        """Add one finding."""
        finding = Finding(place.file, place.line, place.column, path, kind.code, kind.severity, message)
        if finding not in self._found:
            self._found[finding] = None
            self.errors += finding.severity is Severity.ERROR

    def sorted(self) -> tuple[Finding, ...]:
        """Give all, by file, line, column and code."""
        return tuple(sorted(self._found, key=lambda each: (each.file, each.line, each.column, each.code, each.message)))


def did_you_mean(text: str, known: Iterable[str]) -> str:
    """Give `; did you mean 'x'?` for the nearest known name, or the names when they are few, or nothing."""
    names = sorted(set(known))
    near = get_close_matches(text.lower(), {name.lower(): name for name in names}, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {next(name for name in names if name.lower() == near[0])!r}?"
    if 0 < len(names) <= 8:
        return f"; known: {', '.join(names)}"
    return ""
