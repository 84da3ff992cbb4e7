import asyncio
import socket
import ssl

import pytest

from anycastle.io.system_words import system_words


def test_a_dial_that_is_refused_tells_why_without_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(OSError, match="Connect call failed") as error:
        asyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 10))
    assert system_words(error.value) == "Connection refused"


def test_a_name_that_is_not_known_is_told_in_the_resolvers_words() -> None:
    with pytest.raises(socket.gaierror) as error:
        socket.getaddrinfo("192.0.2.300", 323, flags=socket.AI_NUMERICHOST)
    assert system_words(error.value) == "Name or service not known"


def test_a_timeout_of_our_own_is_no_answer() -> None:
    assert system_words(TimeoutError()) == "no answer"


def test_what_is_wrong_with_a_certificate_is_told_and_not_a_number_of_the_systems() -> None:
    error = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    error.verify_message = "self-signed certificate"
    assert system_words(error) == "self-signed certificate"
    assert "wrong version" in system_words(ssl.SSLError(1, "wrong version number"))
