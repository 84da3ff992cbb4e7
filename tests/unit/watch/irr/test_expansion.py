"""Sets expanded against a database: circles, bounds, what is missing, and the same as the database's own recursion."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anycastle.model.asn import ASN
from anycastle.model.irr import ASSet, AutNum, Member, SetName, parse_member, parse_set_name
from anycastle.watch.irr.database import Database
from anycastle.watch.irr.expansion import Bounds, Expanded, Expansion
from anycastle.wire.irr.query import Question, SetMembers
from anycastle.wire.irr.reply import Data, ManyKeys, NoSuchKey, Refused


def as_set(name: str, *members: str, source: str = "RIPE", by_reference: tuple[str, ...] = ()) -> ASSet:
    return ASSet(parse_set_name(name), tuple(map(parse_member, members)), by_reference, source)


def expanded(database: Database, *roots: str, bounds: Bounds = Bounds()) -> Expanded:
    expansion = Expansion(map(parse_member, roots), bounds)
    while questions := expansion.questions():
        for question in questions:
            expansion.take(question, database.answer(question.query, question.sources))
    return expansion.result()


def names(found: tuple[SetName, ...]) -> list[str]:
    return list(map(str, found))


@pytest.mark.rfc("2622", "5.1")
def test_sets_in_sets_with_a_circle_and_what_is_not_there() -> None:
    database = Database(
        [
            as_set("AS-TOP", "AS1", "AS-MIDDLE", "AS-GONE", "AS-EMPTY"),
            as_set("AS-MIDDLE", "AS2", "AS-LOW"),
            as_set("AS-LOW", "AS3", "AS-MIDDLE", "AS1"),
            as_set("AS-EMPTY"),
        ]
    )
    found = expanded(database, "AS-TOP", "AS9")
    assert found.asns == {1, 2, 3, 9}
    assert {str(name): depth for name, depth in found.sets.items()} == {
        "AS-TOP": 0, "AS-MIDDLE": 1, "AS-EMPTY": 1, "AS-LOW": 2,
    }  # fmt: skip
    assert names(found.missing) == ["AS-GONE"]
    assert names(found.empty) == ["AS-EMPTY"]
    assert names(found.loops) == ["AS-LOW", "AS-MIDDLE"]
    assert found.incomplete == ()


def test_a_set_that_holds_itself() -> None:
    found = expanded(Database([as_set("AS-SELF", "AS-SELF", "AS1")]), "AS-SELF")
    assert (found.asns, names(found.loops)) == ({1}, ["AS-SELF"])


def test_a_source_in_front_of_a_name_is_the_one_that_is_asked() -> None:
    database = Database([as_set("AS-X", "AS1"), as_set("AS-X", "AS2", source="RADB"), as_set("AS-Y", "RADB::AS-X")])
    assert expanded(database, "AS-X").asns == {1}
    assert expanded(database, "RADB::AS-X").asns == {2}
    assert expanded(database, "AS-Y").asns == {2}
    assert expanded(database, "AS-Y", "AS-X").asns == {1, 2}
    found = expanded(database, "NOWHERE::AS-X")
    assert found.incomplete
    assert "NOWHERE" in found.incomplete[0]


@pytest.mark.rfc("2622", "5.1")
def test_members_by_reference_need_the_right_maintainer() -> None:
    networks = [
        AutNum(ASN(1), "", ("AS-X",), "RIPE", ("GOOD-MNT",)),
        AutNum(ASN(2), "", ("AS-X",), "RIPE", ("OTHER-MNT",)),
        AutNum(ASN(3), "", (), "RIPE", ("GOOD-MNT",)),
    ]
    assert expanded(Database([*networks, as_set("AS-X", by_reference=("GOOD-MNT",))]), "AS-X").asns == {1}
    assert expanded(Database([*networks, as_set("AS-X", "AS9", by_reference=("ANY",))]), "AS-X").asns == {1, 2, 9}
    assert expanded(Database([*networks, as_set("AS-X", "AS9")]), "AS-X").asns == {9}


def test_bounds_make_it_incomplete_and_say_so() -> None:
    chain = Database([as_set(f"AS-{number}X", f"AS{number + 1}", f"AS-{number + 1}X") for number in range(10)])
    assert expanded(chain, "AS-0X", bounds=Bounds(depth=3)).incomplete == ("AS-4X lies deeper than 3 sets",)
    assert expanded(chain, "AS-0X", bounds=Bounds(sets=4)).incomplete == ("more than 4 sets",)
    assert expanded(chain, "AS-0X", bounds=Bounds(asns=4)).incomplete == ("more than 4 ASNs",)
    assert expanded(chain, "AS-0X").incomplete == ()


def test_members_that_are_neither_are_told() -> None:
    expansion = Expansion([SetName("AS-X")])
    (question,) = expansion.questions()
    expansion.take(question, Data("AS1 AS-ANY 192.0.2.0/24"))
    found = expansion.result()
    assert (found.asns, found.unreadable) == ({1}, ("AS-ANY in AS-X", "192.0.2.0/24 in AS-X"))


@pytest.mark.parametrize("reply", [Refused("not now"), ManyKeys()])
def test_a_set_that_the_server_does_not_tell_of_makes_it_incomplete(reply: Refused | ManyKeys) -> None:
    expansion = Expansion([SetName("AS-X")])
    question = Question(SetMembers(SetName("AS-X")))
    assert expansion.questions() == [question]
    expansion.take(question, reply)
    assert expansion.questions() == []
    assert expansion.result().incomplete


MEMBERS: st.SearchStrategy[Member] = st.one_of(
    st.integers(1, 30).map(ASN), st.integers(0, 12).map(lambda number: SetName(f"AS-S{number}"))
)


@given(st.lists(st.lists(MEMBERS, max_size=6), min_size=1, max_size=10))
@settings(max_examples=200, deadline=None)
def test_ours_equals_the_databases_own_recursion(sets: list[list[Member]]) -> None:
    database = Database(ASSet(SetName(f"AS-S{number}"), tuple(held)) for number, held in enumerate(sets))
    found = expanded(database, "AS-S0")
    reply = database.answer(SetMembers(SetName("AS-S0"), recursive=True))
    theirs = set(reply.items) if isinstance(reply, Data) else set()
    assert isinstance(reply, Data | NoSuchKey)
    assert {f"AS{asn}" for asn in found.asns} == theirs
    assert all(int(str(name)[4:]) >= len(sets) for name in found.missing)
    reach = {name: {each for each in held if isinstance(each, SetName)} for name, held in
             ((SetName(f"AS-S{number}"), held) for number, held in enumerate(sets))}  # fmt: skip
    for name in found.sets:
        seen, waiting = set[SetName](), list(reach.get(name, ()))
        while waiting:
            each = waiting.pop()
            if each not in seen:
                seen.add(each)
                waiting += reach.get(each, ())
        if name in seen:
            assert name in found.loops
