"""TCP-MD5 (RFC 2385) and GTSM (RFC 5082) on sockets, as Linux has them (linux/tcp.h, linux/in.h)."""

import errno
import socket
import struct

from anycastle.base.errors import WorldError
from anycastle.model.prefix import Address
from anycastle.session.command import ConnectFault

_TCP_MD5SIG = 14
_MD5_STRUCT = struct.Struct("=128sBBHI80s")  # sockaddr_storage, flags, prefixlen, keylen, ifindex, key
_IP_MINTTL = 21
_IPV6_MINHOPCOUNT = 73
_TTL_MAX = 255

_NO_ANSWER = (errno.ETIMEDOUT,)
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN)


def new_socket(address: Address) -> socket.socket:
    """Give a TCP socket of the address's family that does not block. An IPv6 one takes no IPv4.

    It, and what a listening one accepts, sends at once: a withdrawal does not wait for the acknowledgement of what was
    sent before it, as Nagle's algorithm would have it (RFC 9293 §3.7.4).
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    fresh = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if address.version == 6:
        fresh.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return fresh


def set_password(target: socket.socket, peer: Address, key: bytes) -> None:
    """Sign and check every segment to and from the peer; on a listening socket it may be called once per peer.

    `key` has 1 to 80 octets. Raises `WorldError` where the kernel has no TCP-MD5.
    """
    if peer.version == 4:
        sockaddr = struct.pack("=HH4s", socket.AF_INET, 0, peer.packed)
    else:
        sockaddr = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, peer.packed, 0)
    option = _MD5_STRUCT.pack(sockaddr, 0, 0, len(key), 0, key)
    try:
        target.setsockopt(socket.IPPROTO_TCP, _TCP_MD5SIG, option)
    except OSError as error:
        raise WorldError(f"TCP-MD5 cannot be set for {peer}: {error.strerror}", retryable=False) from error


def send_far(target: socket.socket) -> None:
    """Send with the largest TTL, as GTSM asks of both ends (RFC 5082 §3)."""
    if target.family == socket.AF_INET:
        target.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, _TTL_MAX)
    else:
        target.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, _TTL_MAX)


def require_near(target: socket.socket, hops: int) -> None:
    """Drop, in the kernel, what came over more than `hops` hops; and send so that the peer can do the same."""
    send_far(target)
    least = _TTL_MAX + 1 - hops
    if target.family == socket.AF_INET:
        target.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, least)
    else:
        target.setsockopt(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT, least)


def connect_fault(error: OSError) -> ConnectFault:
    """Tell why a dial failed."""
    if error.errno == errno.ECONNREFUSED:
        return ConnectFault.REFUSED
    if error.errno in _NO_ANSWER:
        return ConnectFault.NO_ANSWER
    return ConnectFault.UNREACHABLE if error.errno in _UNREACHABLE else ConnectFault.LOCAL
