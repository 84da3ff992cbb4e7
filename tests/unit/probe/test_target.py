import pytest

from anycastle.base.errors import ParseError
from anycastle.probe.kinds.dns import DNSAsk
from anycastle.probe.kinds.http import HTTPAsk
from anycastle.probe.kinds.icmp import ICMPAsk
from anycastle.probe.kinds.large_body import LargeBodyAsk
from anycastle.probe.kinds.mtu import MTUAsk
from anycastle.probe.kinds.tcp import TCPAsk
from anycastle.probe.kinds.tls import TLSAsk
from anycastle.probe.target import Ask, aim


@pytest.mark.parametrize(
    ("text", "ask", "host", "port", "shown"),
    [
        ("192.0.2.53", DNSAsk(), "192.0.2.53", 53, "192.0.2.53:53"),
        ("192.0.2.53", DNSAsk(transport="tls"), "192.0.2.53", 853, "192.0.2.53:853"),
        ("192.0.2.53:5353", DNSAsk(), "192.0.2.53", 5353, "192.0.2.53:5353"),
        ("2001:db8::53", DNSAsk(), "2001:db8::53", 53, "[2001:db8::53]:53"),
        ("[2001:db8::53]:5353", DNSAsk(), "2001:db8::53", 5353, "[2001:db8::53]:5353"),
        ("[2001:db8::53]", ICMPAsk(), "2001:db8::53", 0, "[2001:db8::53]"),
        ("192.0.2.53", MTUAsk(), "192.0.2.53", 0, "192.0.2.53"),
        ("www.example", TLSAsk(), "www.example", 443, "www.example:443"),
        ("http://www.example", HTTPAsk(), "www.example", 80, "www.example:80"),
        ("https://www.example:8443/a?b=c", HTTPAsk(), "www.example", 8443, "www.example:8443"),
        ("https://[2001:db8::80]/", HTTPAsk(), "2001:db8::80", 443, "[2001:db8::80]:443"),
    ],
)
def test_a_target_is_read_as_people_write_it(text: str, ask: Ask, host: str, port: int, shown: str) -> None:
    target = aim(text, ask)
    assert (target.host, target.port, target.shown) == (host, port, shown)


def test_an_url_says_the_path_and_whether_tls_is_spoken() -> None:
    ask = aim("http://www.example/a/b?c=d", HTTPAsk(method="HEAD")).ask
    assert ask == HTTPAsk(tls=False, path="/a/b?c=d", method="HEAD")
    large = aim("http://www.example/200kB", LargeBodyAsk("/"))
    assert (large.ask, large.port) == (LargeBodyAsk("/200kB", tls=False), 80)


@pytest.mark.parametrize(
    ("text", "ask"),
    [
        ("", DNSAsk()),
        ("a b", DNSAsk()),
        ("www.example:x", TLSAsk()),
        ("www.example:70000", TLSAsk()),
        ("www.example:0", TLSAsk()),
        ("www.example/path", TLSAsk()),
        ("user@www.example", TLSAsk()),
        ("www.example", TCPAsk()),
        ("192.0.2.1:7", ICMPAsk()),
        ("https://www.example/", TLSAsk()),
        ("ftp://www.example/", HTTPAsk()),
        ("https://user:secret@www.example/", HTTPAsk()),
        ("https://", HTTPAsk()),
        ("[2001:db8::1", DNSAsk()),
    ],
)
def test_what_is_no_target_is_refused_without_its_secrets(text: str, ask: Ask) -> None:
    with pytest.raises(ParseError) as raised:
        aim(text, ask)
    assert "secret@" not in str(raised.value)
