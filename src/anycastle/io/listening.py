"""The listening TCP socket of a server of ours that is handed its socket."""

import socket


def listening_socket(host: str, port: int, backlog: int | None = None) -> socket.socket:
    """Listen at an address of either family; at `::` at all addresses of both. Raises `OSError`.

    What is accepted from it sends at once: an answer whose head and body are two writes would wait, with Nagle's
    algorithm (RFC 9293 §3.7.4), for the client's delayed acknowledgement, 40 ms. asyncio turns it off only for sockets
    that name their protocol, which those of `socket.create_server` do not.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    listening = socket.create_server((host, port), family=family, backlog=backlog, dualstack_ipv6=both)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
