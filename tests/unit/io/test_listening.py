import socket

import pytest

from anycastle.io.listening import listening_socket
from anycastle.io.speaker.socket_options import new_socket
from anycastle.model.prefix import parse_address

NAGLE_OFF = (socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_what_is_accepted_sends_at_once(host: str) -> None:
    with listening_socket(host, 0) as listening, socket.create_connection(listening.getsockname()[:2]):
        accepted, _ = listening.accept()
        with accepted:
            assert accepted.getsockopt(*NAGLE_OFF)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_at_all_addresses_are_those_of_both_families(host: str) -> None:
    with listening_socket("::", 0) as listening, socket.create_connection((host, listening.getsockname()[1])):
        accepted, _ = listening.accept()
        accepted.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_speakers_sockets_send_at_once_dialled_or_accepted(host: str) -> None:
    address = parse_address(host)
    with new_socket(address) as listening, new_socket(address) as dialled:
        listening.bind((host, 0))
        listening.listen()
        dialled.connect_ex(listening.getsockname())
        listening.setblocking(True)
        accepted, _ = listening.accept()
        with accepted:
            assert dialled.getsockopt(*NAGLE_OFF)
            assert accepted.getsockopt(*NAGLE_OFF)
