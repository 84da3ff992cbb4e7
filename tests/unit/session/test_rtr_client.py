"""The client's dialogues with a cache, spoken by the test on a virtual clock."""

from dataclasses import dataclass, field

import pytest

from anycastle.base.ports import FAR_FUTURE, Instant
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import ASPA, VRP, Validity
from anycastle.session import rtr_client
from anycastle.session.rtr_client import Dial, Expired, Hang, Problem, RTRClient, Say, State, Synchronised
from anycastle.wire.rtr.codec import decode_pdu, encode_pdu
from anycastle.wire.rtr.pdu import (
    ASPAPDU,
    PDU,
    CacheReset,
    CacheResponse,
    EndOfData,
    ErrorCode,
    ErrorReport,
    Intervals,
    PrefixPDU,
    ResetQuery,
    RouterKey,
    SerialNotify,
    SerialQuery,
)

A = VRP(parse_prefix("192.0.2.0/24"), 24, ASN(64500))
B = VRP(parse_prefix("2001:db8::/32"), 48, ASN(64501))
C = VRP(parse_prefix("198.51.100.0/24"), 24, ASN(64502))
PROVIDERS = ASPA(ASN(64500), frozenset({ASN(64601)}))


@dataclass
class Dialogue:
    """A client, the time, and all that it commanded."""

    client: RTRClient = field(default_factory=RTRClient)
    at: float = 1000.0
    commands: list[object] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.commands += self.client.start(self.now)

    @property
    def now(self) -> Instant:
        return Instant(self.at)

    def connect(self) -> "Dialogue":
        assert self.commands[-1] == Dial()
        self.commands += self.client.connected(self.now)
        return self

    def hear(self, *pdus: PDU, version: int | None = None) -> "Dialogue":
        spoken = self.client.version if version is None else version
        self.commands += self.client.received(b"".join(encode_pdu(pdu, spoken) for pdu in pdus), self.now)
        return self

    def wait(self) -> "Dialogue":
        """Let the next timer expire."""
        assert self.client.deadline != FAR_FUTURE
        self.at = self.client.deadline
        self.commands += self.client.wake(self.now)
        return self

    def said(self) -> list[PDU]:
        return [decode_pdu(each.octets)[1] for each in self.commands if isinstance(each, Say)]

    def of(self, kind: type) -> list:
        return [each for each in self.commands if isinstance(each, kind)]

    def synchronised(self) -> "Dialogue":
        return self.connect().hear(CacheResponse(7), *map(announced, (A, B)), EndOfData(7, 1))


def announced(vrp: VRP) -> PrefixPDU:
    return PrefixPDU(True, vrp)


def withdrawn(vrp: VRP) -> PrefixPDU:
    return PrefixPDU(False, vrp)


@pytest.mark.rfc("8210", "8.1", "8.2")
@pytest.mark.mission("I8", "C11")
def test_it_asks_for_everything_and_then_for_what_changed() -> None:
    d = Dialogue().synchronised()
    assert d.said() == [ResetQuery()]
    (first,) = d.of(Synchronised)
    assert (len(first.table), first.serial, first.announced, first.withdrawn) == (2, 1, 2, 0)
    d.hear(SerialNotify(7, 2))
    assert d.said()[-1] == SerialQuery(7, 1)
    d.hear(CacheResponse(7), announced(C), withdrawn(A), ASPAPDU(True, PROVIDERS), EndOfData(7, 2))
    _, second = d.of(Synchronised)
    assert (len(second.table), second.announced, second.withdrawn) == (2, 1, 1)
    assert second.table.validity(C.prefix, C.asn) is Validity.VALID
    assert second.table.validity(A.prefix, A.asn) is Validity.NOT_FOUND
    assert second.aspas == {PROVIDERS.customer: PROVIDERS}
    d.hear(SerialNotify(7, 3)).hear(CacheResponse(7), ASPAPDU(False, ASPA(ASN(64500), frozenset())), EndOfData(7, 3))
    assert d.client.aspas == {}


@pytest.mark.rfc("8210", "6")
def test_it_asks_again_after_the_refresh_interval_within_its_bounds() -> None:
    d = Dialogue().connect().hear(CacheResponse(7), EndOfData(7, 1, Intervals(0, 100_000, 0)))
    began = d.at
    d.wait()
    assert d.at == began + 1
    assert d.said()[-1] == SerialQuery(7, 1)
    d.hear(CacheResponse(7), EndOfData(7, 1, Intervals(3600, 600, 3600)))
    assert d.client._expires == d.at + 3601


@pytest.mark.rfc("8210", "8.2", "6")
def test_data_outlive_a_lost_cache_until_they_expire() -> None:
    d = Dialogue().synchronised()
    synchronised_at = d.at
    d.commands += d.client.disconnected(d.now, "gone")
    assert d.of(Problem)[-1].text == "gone"
    while not d.of(Expired):
        assert d.client.table is not None
        d.wait()
        if d.commands[-1] == Dial():
            d.commands += d.client.disconnected(d.now, "refused")
    assert d.at == synchronised_at + 7200
    assert d.client.table is None
    while d.commands[-1] != Dial():
        d.wait()
    assert d.connect().said()[-1] == ResetQuery()


@pytest.mark.rfc("8210", "8.4")
def test_a_cache_that_cannot_tell_what_changed_is_asked_for_everything() -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 9), CacheReset())
    assert d.said()[-1] == ResetQuery()
    d.hear(CacheResponse(8), announced(C), EndOfData(8, 1))
    assert {str(vrp) for vrp in d.client.table.covering(C.prefix)} == {str(C)}
    assert len(d.client.table) == 1


@pytest.mark.rfc("8210", "5.1")
def test_another_session_means_that_the_cache_began_anew() -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 2)).hear(CacheResponse(9))
    assert d.commands[-1] == Hang()
    assert len(d.client.table) == 2  # until the new answer is whole
    d.wait().connect()
    assert d.said()[-1] == ResetQuery()


@pytest.mark.rfc("8210", "7")
@pytest.mark.parametrize("version", [0, 1])
def test_a_cache_of_an_older_version_is_asked_in_its_own(version: int) -> None:
    d = Dialogue().connect()
    d.hear(ErrorReport(ErrorCode.UNSUPPORTED_VERSION, b"", "too new"), version=version)
    assert d.commands[-1] == Hang()
    assert d.wait().connect().client.version == version
    assert [each.octets[0] for each in d.of(Say)] == [2, version]
    d.hear(CacheResponse(7), announced(A), EndOfData(7, 1))
    assert d.client.state is State.SYNCHRONISED


@pytest.mark.rfc("8210", "7")
def test_a_cache_that_answers_in_an_older_version_is_understood() -> None:
    d = Dialogue().connect().hear(CacheResponse(7), announced(A), EndOfData(7, 1), version=1)
    assert (d.client.state, d.client.version) == (State.SYNCHRONISED, 1)


@pytest.mark.rfc("8210", "5.6", "7", "12")
@pytest.mark.parametrize(
    ("pdus", "code"),
    [
        ((CacheResponse(7), announced(A), announced(A)), ErrorCode.DUPLICATE_ANNOUNCEMENT),
        ((CacheResponse(7), withdrawn(A)), ErrorCode.WITHDRAWAL_OF_UNKNOWN_RECORD),
        ((announced(A),), ErrorCode.CORRUPT_DATA),
        ((EndOfData(7, 1),), ErrorCode.CORRUPT_DATA),
        ((CacheResponse(7), EndOfData(8, 1)), ErrorCode.CORRUPT_DATA),
        ((CacheResponse(7), CacheResponse(7)), ErrorCode.CORRUPT_DATA),
        ((ResetQuery(),), ErrorCode.INVALID_REQUEST),
    ],
)
def test_what_breaks_the_protocol_ends_the_session_with_its_code(pdus: tuple[PDU, ...], code: ErrorCode) -> None:
    d = Dialogue().connect().hear(*pdus)
    report = d.said()[-1]
    assert isinstance(report, ErrorReport)
    assert report.code == code
    assert isinstance(d.commands[-2], Hang)
    assert "broke the protocol" in d.of(Problem)[-1].text
    assert d.client.table is None
    assert d.wait().commands[-1] == Dial()


@pytest.mark.rfc("8210", "5.6", "12")
@pytest.mark.parametrize(
    ("pdu", "code"),
    [(announced(A), ErrorCode.DUPLICATE_ANNOUNCEMENT), (withdrawn(C), ErrorCode.WITHDRAWAL_OF_UNKNOWN_RECORD)],
)
def test_a_change_that_does_not_fit_keeps_what_was_and_asks_for_everything(pdu: PDU, code: ErrorCode) -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 2)).hear(CacheResponse(7), pdu, EndOfData(7, 2))
    report = d.said()[-1]
    assert isinstance(report, ErrorReport)
    assert report.code == code
    assert len(d.client.table) == 2
    assert d.wait().connect().said()[-1] == ResetQuery()


def test_several_versions_in_one_session_are_refused() -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 2), version=1)
    assert d.said()[-1].code == ErrorCode.UNEXPECTED_VERSION


def test_a_cache_without_data_is_asked_again_and_keeps_what_was() -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 2)).hear(ErrorReport(ErrorCode.NO_DATA_AVAILABLE, b"", "wait"))
    assert d.of(Problem)[-1].text == "the cache says No data available: wait"
    assert d.wait().connect().said()[-1] == SerialQuery(7, 1)


def test_a_cache_that_falls_silent_in_an_answer_is_left() -> None:
    d = Dialogue().connect().hear(CacheResponse(7), announced(A)).wait()
    assert d.of(Problem)[-1].text == "no answer within 60 s"
    assert d.client.table is None


def test_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtr_client, "RECORDS_MAX", 1)
    d = Dialogue().connect().hear(CacheResponse(7), RouterKey(True, b"\0" * 20, ASN(1), b"k"), announced(A))
    assert d.said()[-1].code == ErrorCode.INTERNAL_ERROR


def test_a_full_answer_in_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtr_client, "CHUNK_VRPS", 2)
    vrps = [VRP(parse_prefix(f"10.{n}.0.0/16"), 16, ASN(n)) for n in range(7)]
    d = Dialogue().connect().hear(CacheResponse(7), *map(announced, vrps), announced(B), EndOfData(7, 1))
    assert set(d.client.table.within(parse_prefix("10.0.0.0/8"))) == set(vrps)
    assert len(d.client.table) == 8


@pytest.mark.rfc("8210", "6")
def test_data_that_expire_while_a_difference_is_awaited_are_asked_for_whole() -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 2))
    d.at = d.client._expires
    d.commands += d.client.wake(d.now)
    assert d.commands[-3:] == [Expired(), Hang(), Dial()]
    d.hear(CacheResponse(7), announced(C), EndOfData(7, 2))  # still on its way on the old connection
    assert d.client.table is None
    assert d.connect().said()[-1] == ResetQuery()


@pytest.mark.rfc("8210", "7")
def test_a_notification_before_the_answer_means_nothing_whatever_its_version() -> None:
    d = Dialogue().connect().hear(SerialNotify(7, 9), version=0)
    assert d.said() == [ResetQuery()]
    d.hear(CacheResponse(7), announced(A), EndOfData(7, 9), version=1)
    assert (d.client.state, d.client.version) == (State.SYNCHRONISED, 1)


def test_a_notification_during_an_answer_is_asked_about_after_it() -> None:
    d = Dialogue().connect().hear(CacheResponse(7), announced(A), SerialNotify(7, 2), EndOfData(7, 1))
    assert d.said()[-1] == SerialQuery(7, 1)
    d.hear(CacheResponse(7), EndOfData(7, 2))
    assert (d.client.state, len(d.said())) == (State.SYNCHRONISED, 2)


@pytest.mark.rfc("8210", "7")
def test_a_refusal_in_our_own_version_is_followed_by_a_lower_one() -> None:
    d = Dialogue().connect().hear(ErrorReport(ErrorCode.UNSUPPORTED_VERSION, b"", "no"))
    assert d.wait().connect().client.version == 1


@pytest.mark.rfc("8210", "5.11")
def test_a_malformed_error_report_is_not_reported() -> None:
    d = Dialogue().connect()
    d.commands += d.client.received(bytes.fromhex("020a 0002 00000010 ffffffff 00000000"), d.now)
    assert d.said() == [ResetQuery()]
    assert isinstance(d.commands[-1], Problem)


@pytest.mark.parametrize("pdus", [(withdrawn(A), announced(A)), (announced(C), withdrawn(C))])
def test_changes_of_one_serials_answer_that_undo_each_other_change_nothing(pdus: tuple[PDU, ...]) -> None:
    d = Dialogue().synchronised().hear(SerialNotify(7, 3)).hear(CacheResponse(7), *pdus, EndOfData(7, 3))
    assert d.client.state is State.SYNCHRONISED
    assert set(d.client.table.within(parse_prefix("0.0.0.0/0"))) == {A}
