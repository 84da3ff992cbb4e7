"""Places on the network, as every command takes them."""

import click

PORT_MAX = 65535


def host_and_port(text: str, option: str, form: str = "HOST:PORT", *, lowest: int = 1) -> tuple[str, int]:
    """Give both of `HOST:PORT`, an IPv6 address in brackets. Raises `click.BadParameter`, which names the option."""
    host, _, port = text.rpartition(":")
    is_number = port.isascii() and port.isdigit() and len(port) <= len(str(PORT_MAX))
    if not host or not is_number or not lowest <= int(port) <= PORT_MAX:
        raise click.BadParameter(f"{text!r} is not {form}", param_hint=option)
    return host.strip("[]"), int(port)
