"""Ports of this machine that tests listen at."""

import socket


def free_port() -> int:
    """Give a TCP port of the loopback that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
