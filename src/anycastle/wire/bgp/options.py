"""What two peers agreed on that changes how octets are read and written."""

from dataclasses import dataclass
from typing import Final

from anycastle.base.limits import MESSAGE_MAX, MESSAGE_MAX_EXTENDED
from anycastle.model.asn import ASN
from anycastle.wire.bgp.family import AFISAFI


@dataclass(frozen=True, slots=True)
class CodecOptions:
    """What decoding and encoding need to know of the session; the defaults are those before any OPEN.

    `first_asn`, when given, is the ASN that the leftmost AS_PATH entry must be (RFC 4271 §6.3); leave it out for
    a route server's session.
    """

    four_octet_asn: bool = False
    extended_message: bool = False
    add_path_receive: frozenset[AFISAFI] = frozenset()
    add_path_send: frozenset[AFISAFI] = frozenset()
    ebgp: bool = True
    confederation: bool = False
    first_asn: ASN | None = None

    @property
    def message_max(self) -> int:
        """Octets of the longest message; OPEN and KEEPALIVE stay at 4096 (RFC 8654 §4)."""
        return MESSAGE_MAX_EXTENDED if self.extended_message else MESSAGE_MAX


BEFORE_OPEN: Final = CodecOptions()
