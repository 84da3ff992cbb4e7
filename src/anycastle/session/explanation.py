"""Why a connection ended, in words that name what to look at."""

from collections.abc import Mapping
from typing import Final

from anycastle.session.command import Cause, ConnectFault
from anycastle.session.config import SessionConfig
from anycastle.session.fsm import State
from anycastle.wire.bgp.error_codes import CeaseSubcode, ErrorCode, OpenSubcode
from anycastle.wire.bgp.message import Notification
from anycastle.wire.bgp.notification import format_notification

_OPEN_CAUSES: Final[Mapping[int, Cause]] = {
    OpenSubcode.UNSUPPORTED_VERSION_NUMBER: Cause.VERSION,
    OpenSubcode.BAD_PEER_AS: Cause.ASN_MISMATCH,
    OpenSubcode.BAD_BGP_IDENTIFIER: Cause.IDENTIFIER,
    OpenSubcode.UNACCEPTABLE_HOLD_TIME: Cause.HOLD_TIME_MISMATCH,
    OpenSubcode.UNSUPPORTED_CAPABILITY: Cause.CAPABILITY,
    OpenSubcode.ROLE_MISMATCH: Cause.ROLE_MISMATCH,
}
_CEASE_CAUSES: Final[Mapping[int, Cause]] = {
    CeaseSubcode.MAXIMUM_NUMBER_OF_PREFIXES_REACHED: Cause.PREFIX_LIMIT,
    CeaseSubcode.CONNECTION_COLLISION_RESOLUTION: Cause.COLLISION,
    CeaseSubcode.OUT_OF_RESOURCES: Cause.RESOURCES,
    CeaseSubcode.ADMINISTRATIVE_SHUTDOWN: Cause.PEER_STOPPED,
    CeaseSubcode.PEER_DECONFIGURED: Cause.PEER_STOPPED,
    CeaseSubcode.ADMINISTRATIVE_RESET: Cause.PEER_STOPPED,
}
_FAULT_CAUSES: Final = {
    ConnectFault.NO_ANSWER: Cause.NO_ANSWER,
    ConnectFault.REFUSED: Cause.REFUSED,
    ConnectFault.UNREACHABLE: Cause.UNREACHABLE,
    ConnectFault.LOCAL: Cause.LOCAL,
}


def cause_of(code: int, subcode: int) -> Cause:
    """Give the cause that a NOTIFICATION stands for."""
    match code:
        case ErrorCode.OPEN_MESSAGE_ERROR:
            return _OPEN_CAUSES.get(subcode, Cause.PROTOCOL_ERROR)
        case ErrorCode.HOLD_TIMER_EXPIRED:
            return Cause.HOLD_TIMER
        case ErrorCode.FINITE_STATE_MACHINE_ERROR:
            return Cause.STATE_ERROR
        case ErrorCode.CEASE:
            return _CEASE_CAUSES.get(subcode, Cause.PEER_CEASED)
    return Cause.PROTOCOL_ERROR


def connect_failed(config: SessionConfig, fault: ConnectFault, detail: str) -> tuple[Cause, str]:
    """Explain a dial that failed."""
    cause = _FAULT_CAUSES[fault]
    peer = config.peer
    match fault:
        case ConnectFault.NO_ANSWER:
            ours = "" if config.authenticated else " (we have none)"
            suspects = f"wrong address, filter, or a TCP-MD5 password that differs{ours}"
            return cause, f"no answer on TCP from {peer}: {suspects}"
        case ConnectFault.REFUSED:
            return cause, f"{peer} refuses TCP: no BGP speaker listens there, or it does not know our address"
        case ConnectFault.UNREACHABLE:
            return cause, f"{peer} cannot be reached: {detail}"
        case ConnectFault.LOCAL:
            return cause, f"cannot dial {peer}: {detail}"


def disconnected(config: SessionConfig, state: State, detail: str) -> str:
    """Explain a TCP connection that the peer closed or that broke, by how far the session had come."""
    peer = config.peer
    suffix = f" ({detail})" if detail else ""
    match state:
        case State.OPEN_SENT:
            return f"{peer} closed TCP before its OPEN{suffix}: it may not know our address or expect another session"
        case State.OPEN_CONFIRM:
            return f"{peer} closed TCP before the session was up{suffix}: it may not accept our OPEN"
    return f"TCP connection to {peer} lost{suffix}"


def received(config: SessionConfig, message: Notification) -> str:
    """Explain a NOTIFICATION from the peer."""
    name = format_notification(message)
    match message.code, message.subcode:
        case ErrorCode.OPEN_MESSAGE_ERROR, OpenSubcode.BAD_PEER_AS:
            return f"peer refused our OPEN ({name}): it expects another ASN than our AS{config.local_asn}"
        case ErrorCode.OPEN_MESSAGE_ERROR, OpenSubcode.BAD_BGP_IDENTIFIER:
            return f"peer refused our OPEN ({name}): it does not take our BGP Identifier {config.identifier}"
        case ErrorCode.OPEN_MESSAGE_ERROR, OpenSubcode.UNACCEPTABLE_HOLD_TIME:
            return f"peer refused our OPEN ({name}): it does not accept our hold time of {config.hold_time_s} s"
        case ErrorCode.OPEN_MESSAGE_ERROR, OpenSubcode.ROLE_MISMATCH:
            role = config.role.name.lower().replace("_", "-") if config.role is not None else "none"
            return f"peer refused our OPEN ({name}): our role is {role}"
        case ErrorCode.OPEN_MESSAGE_ERROR, _:
            return f"peer refused our OPEN ({name})"
        case ErrorCode.HOLD_TIMER_EXPIRED, _:
            return f"peer heard nothing from us for its hold time ({name})"
        case ErrorCode.CEASE, _:
            return f"peer ended the session ({name})"
    return f"peer reports an error of ours ({name})"
