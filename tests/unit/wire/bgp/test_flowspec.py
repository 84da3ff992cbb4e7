import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.prefix import parse_prefix
from anycastle.wire.bgp.errors import Malformed
from anycastle.wire.bgp.flowspec import (
    BitmaskComponent,
    Bits,
    BitTest,
    Comparand,
    Comparison,
    ComponentKind,
    FlowRule,
    NumericComponent,
    PrefixComponent,
    decode_flowspec,
    encode_flowspec,
)

PORT_25 = NumericComponent(ComponentKind.DESTINATION_PORT, (Comparand(Comparison.EQUAL, 25),))


@pytest.mark.rfc("8955", "4.1", "4.2", "4.3")
@pytest.mark.rfc("8956", "3")
@pytest.mark.parametrize(
    ("octets", "afi", "text"),
    [
        ("0b 01 18 c00002 03 81 06 04 81 19", 1, "destination 192.0.2.0/24 protocol =6 port =25"),
        (
            "10 01 18 c00002 02 08 cb 04 03 89 45 8b 91 1f90",
            1,
            "destination 192.0.2.0/24 source 203.0.0.0/8 port >=137&<=139,=8080",
        ),
        ("06 01 19 c0000280", 1, "destination 192.0.2.128/25"),
        ("03 03 80 00", 1, "protocol false"),
        ("03 03 87 00", 1, "protocol true"),
        ("05 0a 06 05 84 09", 1, "packet-length !=5,<9"),
        ("03 09 80 02", 1, "tcp-flags syn"),
        ("05 09 01 12 c2 04", 1, "tcp-flags =syn+ack&!rst"),
        ("03 09 83 00", 1, "tcp-flags !=0x0"),
        ("04 09 91 0100", 1, "tcp-flags =0x100"),
        ("03 0c 81 0a", 1, "fragment =is-fragment+last-fragment"),
        ("03 07 81 08", 1, "icmp-type =8"),
        ("0a 01 20 00 20010db8 03 81 11", 2, "destination 2001:db8::/32 protocol =17"),
        ("08 02 68 40 1234567890", 2, "source ::1234:5678:9000:0/104 offset 64"),
        ("06 0d a1 000f4240", 2, "flow-label =1000000"),
        ("03 01 00 00", 2, "destination ::/0"),
    ],
)
def test_rules(octets: str, afi: int, text: str) -> None:
    raw = bytes.fromhex(octets)
    rules = decode_flowspec(raw, afi)
    assert not isinstance(rules, Malformed), rules
    assert [str(rule) for rule in rules] == [text]
    assert encode_flowspec(rules) == raw


@pytest.mark.rfc("8955", "4.2.1.1")
def test_the_first_terms_and_bit_means_nothing() -> None:
    rules = decode_flowspec(bytes.fromhex("03 05 c1 19"), 1)
    assert rules == (FlowRule((PORT_25,)),)


@pytest.mark.rfc("8955", "4.2.1.1")
def test_a_value_may_come_in_more_octets_than_it_needs() -> None:
    assert decode_flowspec(bytes.fromhex("0a 05 b1 0000000000000019"), 1) == (FlowRule((PORT_25,)),)


@pytest.mark.rfc("8955", "4.1")
def test_lengths_of_one_and_two_octets() -> None:
    def rule(count: int) -> FlowRule:
        return FlowRule((NumericComponent(ComponentKind.PORT, (Comparand(Comparison.EQUAL, 1),) * count),))

    for count, head in ((119, "ef"), (120, "f0f1"), (2047, "ffff")):
        octets = encode_flowspec([rule(count)])
        assert octets.hex().startswith(head)
        assert decode_flowspec(octets * 2, 1) == (rule(count),) * 2
    with pytest.raises(MisuseError, match="4095"):
        encode_flowspec([rule(2048)])


@pytest.mark.rfc("8955", "4.1", "4.2", "10")
@pytest.mark.rfc("8956", "3")
@pytest.mark.parametrize(
    ("octets", "afi"),
    [
        ("05 0118c000", 1),
        ("00", 1),
        ("f0", 1),
        ("f001", 1),
        ("03 0e 81 06", 1),
        ("06 0d a1 000f4240", 1),
        ("06 03 81 06 03 81 11", 1),
        ("06 04 81 06 03 81 11", 1),
        ("02 03 01", 1),
        ("03 03 01 06", 1),
        ("03 03 91 06", 1),
        ("01 03", 1),
        ("01 01", 1),
        ("02 01 18", 1),
        ("06 01 21 c000020100", 1),
        ("02 01 20", 2),
        ("03 01 81 00", 2),
        ("03 01 10 20", 2),
        ("03 01 10 10", 2),
    ],
)
def test_malformed_rules(octets: str, afi: int) -> None:
    decoded = decode_flowspec(bytes.fromhex(octets), afi)
    assert isinstance(decoded, Malformed)
    assert decoded.what.startswith("FlowSpec: ")


@pytest.mark.rfc("8955", "4.2")
@pytest.mark.parametrize(
    "rule",
    [
        FlowRule(()),
        FlowRule((PORT_25, PORT_25)),
        FlowRule((PORT_25, PrefixComponent(ComponentKind.SOURCE, parse_prefix("10.0.0.0/8")))),
        FlowRule((NumericComponent(ComponentKind.PORT, ()),)),
        FlowRule((NumericComponent(ComponentKind.PORT, (Comparand(Comparison.EQUAL, 1 << 64),)),)),
        FlowRule((BitmaskComponent(ComponentKind.FRAGMENT, (Bits(BitTest.ANY, -1),)),)),
    ],
)
def test_rules_that_cannot_be_written(rule: FlowRule) -> None:
    with pytest.raises(MisuseError):
        encode_flowspec([rule])
