"""Types and subtypes of MRT records, as numbers and as text."""

from enum import IntEnum
from typing import Final


class RecordType(IntEnum):
    """Type of a record (RFC 6396 §4; BGP and BGP4PLUS are the deprecated ones of its appendix B)."""

    BGP = 5
    BGP4PLUS = 9
    BGP4PLUS_01 = 10
    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17

    def __str__(self) -> str:
        return self.name


class BGP4MPSubtype(IntEnum):
    """Subtype of BGP4MP and BGP4MP_ET (RFC 6396 §4.4, RFC 8050 §3)."""

    STATE_CHANGE = 0
    MESSAGE = 1
    ENTRY = 2
    SNAPSHOT = 3
    MESSAGE_AS4 = 4
    STATE_CHANGE_AS4 = 5
    MESSAGE_LOCAL = 6
    MESSAGE_AS4_LOCAL = 7
    MESSAGE_ADDPATH = 8
    MESSAGE_AS4_ADDPATH = 9
    MESSAGE_LOCAL_ADDPATH = 10
    MESSAGE_AS4_LOCAL_ADDPATH = 11


class TableDumpV2Subtype(IntEnum):
    """Subtype of TABLE_DUMP_V2 (RFC 6396 §4.3, RFC 6397 §3, RFC 8050 §4)."""

    PEER_INDEX_TABLE = 1
    RIB_IPV4_UNICAST = 2
    RIB_IPV4_MULTICAST = 3
    RIB_IPV6_UNICAST = 4
    RIB_IPV6_MULTICAST = 5
    RIB_GENERIC = 6
    GEO_PEER_TABLE = 7
    RIB_IPV4_UNICAST_ADDPATH = 8
    RIB_IPV4_MULTICAST_ADDPATH = 9
    RIB_IPV6_UNICAST_ADDPATH = 10
    RIB_IPV6_MULTICAST_ADDPATH = 11
    RIB_GENERIC_ADDPATH = 12


class TableDumpSubtype(IntEnum):
    """Subtype of TABLE_DUMP (RFC 6396 §4.2), and those with four-octet ASNs that some collectors wrote."""

    IPV4 = 1
    IPV6 = 2
    IPV4_AS4 = 3
    IPV6_AS4 = 4


class LegacyBGPSubtype(IntEnum):
    """Subtype of the deprecated BGP type, as MRTd wrote it (RFC 6396 appendix B.2)."""

    NULL = 0
    UPDATE = 1
    PREF_UPDATE = 2
    STATE_CHANGE = 3
    SYNC = 4
    OPEN = 5
    NOTIFY = 6
    KEEPALIVE = 7


_SUBTYPES: Final = {
    RecordType.BGP: LegacyBGPSubtype,
    RecordType.TABLE_DUMP: TableDumpSubtype,
    RecordType.TABLE_DUMP_V2: TableDumpV2Subtype,
    RecordType.BGP4MP: BGP4MPSubtype,
    RecordType.BGP4MP_ET: BGP4MPSubtype,
}


def format_kind(kind: int, subtype: int) -> str:
    """Format type and subtype: `BGP4MP MESSAGE_AS4`, or numbers where they are not known here."""
    try:
        known = RecordType(kind)
        return f"{known} {_SUBTYPES[known](subtype).name}"
    except (ValueError, KeyError):
        return f"type {kind} subtype {subtype}"
