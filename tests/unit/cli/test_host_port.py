import click
import pytest

from anycastle.cli.host_port import host_and_port


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.1:1", ("192.0.2.1", 1)),
        ("cache.example:65535", ("cache.example", 65535)),
        ("[2001:db8::1]:323", ("2001:db8::1", 323)),
    ],
)
def test_a_host_and_its_port(text: str, place: tuple[str, int]) -> None:
    assert host_and_port(text, "--bmp") == place


@pytest.mark.parametrize("port", ["", "0", "-1", "65536", "²", "٣", "1_0", " 1", "1" * 5000])
def test_what_is_no_port_is_said_of_its_option(port: str) -> None:
    with pytest.raises(click.BadParameter, match="is not HOST:PORT") as error:
        host_and_port(f"192.0.2.1:{port}", "--bmp")
    assert error.value.param_hint == "--bmp"


def test_any_free_port_is_0_where_that_may_be_asked_for() -> None:
    assert host_and_port("127.0.0.1:0", "--listen", "ADDRESS:PORT", lowest=0) == ("127.0.0.1", 0)
