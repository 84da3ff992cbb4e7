from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from anycastle.base.ports import Timestamp
from anycastle.model.event import KIND_OF, KINDS, Alarm, Body, Event


def test_the_table_holds_every_kind_once() -> None:
    assert set(KINDS.values()) == set(get_args(Body))
    assert len(set(KINDS.values())) == len(KINDS)
    assert {KIND_OF[body]: body for body in KINDS.values()} == dict(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_named_as_its_class(name: str) -> None:
    assert KINDS[name].__name__ == "".join(word.capitalize() for word in name.split("_"))


@pytest.mark.parametrize("body", KINDS.values(), ids=KINDS)
def test_a_body_has_no_field_of_the_event_around_it(body: type[Body]) -> None:
    assert not {field.name for field in fields(body)} & {"sequence", "at", "pop", "kind", "hash"}
    assert body.__doc__


def test_names_that_were_stored_stay() -> None:
    assert set(KINDS) >= {
        "agent_started", "agent_stopped", "check_changed", "stance_changed", "announcements_found",
        "announcements_applied", "announcements_confirmed", "router_diverged", "withdrawal_refused", "permit_changed",
        "drain_changed", "lease_lapsed", "session_changed", "operator_commanded", "alarm",
    }  # fmt: skip


def test_the_table_and_the_facts_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        KINDS["alarm"] = Alarm  # type: ignore[index]
    event = Event(Timestamp(0.0), "ams", Alarm("code", "subject", "text"))
    with pytest.raises(FrozenInstanceError):
        event.pop = "fra"  # type: ignore[misc]
