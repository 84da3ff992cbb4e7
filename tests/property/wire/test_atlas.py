"""Results of RIPE Atlas and DNS replies: any value is read or is garbage, and ours equals dnspython's reading."""

import json
from typing import Any

import dns.exception
import dns.message
import dns.rdatatype
from hypothesis import given
from hypothesis import strategies as st

from anycastle.wire.atlas.parse import KINDS, plain, result_of
from anycastle.wire.atlas.result import Garbage
from anycastle.wire.dns import DNSReply, decode_reply
from tests.unit.wire.atlas.samples import SAMPLES, chaos_reply

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
)
FIELDS = sorted({field for each in SAMPLES.values() for field in each})


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(FIELDS), values, max_size=6))
def test_any_object_is_read_or_is_garbage(kind: str, fields: dict[str, Any]) -> None:
    result = result_of({"msm_id": 1, "prb_id": 2, "timestamp": 3, **fields, "type": kind})
    assert isinstance(result, Garbage) or plain(result)["kind"] == kind


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Give a sample in which one value, at any depth, is another."""
    value: Any = json.loads(json.dumps(SAMPLES[draw(st.sampled_from(sorted(SAMPLES)))]))
    whole = value
    while True:
        key = draw(st.sampled_from(sorted(value))) if isinstance(value, dict) else draw(st.integers(0, len(value) - 1))
        if isinstance(value[key], dict | list) and value[key] and draw(st.booleans()):
            value = value[key]
            continue
        value[key] = draw(values)
        assert isinstance(whole, dict)
        return whole


@given(damaged())
def test_one_damaged_field_is_told_or_does_no_harm(value: dict[str, Any]) -> None:
    result = result_of(value)
    if isinstance(result, Garbage):
        assert result.reason
    else:
        json.dumps(plain(result), allow_nan=False)


@given(st.binary(max_size=200))
def test_any_octets_are_a_reply_or_none(octets: bytes) -> None:
    decode_reply(octets)


@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), min_size=1, max_size=80),
    st.binary(max_size=40),
    st.data(),
)
def test_a_reply_is_read_as_dnspython_reads_it(server: str, nsid: bytes, data: st.DataObject) -> None:
    octets = bytearray(chaos_reply(server, nsid))
    for _ in range(data.draw(st.integers(0, 2))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    ours = decode_reply(bytes(octets))
    try:
        theirs = dns.message.from_wire(bytes(octets), ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, NotImplementedError):
        return  # it knows more rules than are needed to tell who answered
    assert isinstance(ours, DNSReply)
    assert (ours.id, ours.rcode) == (theirs.id, theirs.rcode())
    texts = [
        b"".join(each.strings).decode("utf-8", "replace")
        for answer in theirs.answer if answer.rdtype == dns.rdatatype.TXT for each in answer
    ]  # fmt: skip
    assert [record.text for record in ours.answers if record.type == 16] == texts
