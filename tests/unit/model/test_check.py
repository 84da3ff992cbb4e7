from ipaddress import ip_address
from typing import get_args

import pytest

from anycastle.io import checks
from anycastle.model.check import CheckTarget, DNSTarget, ExecTarget


def test_every_target_has_a_kind_of_its_own_and_a_check_that_runs_it() -> None:
    kinds = [target.__dataclass_fields__["kind"].default for target in get_args(CheckTarget)]
    assert len(set(kinds)) == len(kinds) == 9
    for kind in kinds:
        assert callable(checks.runner(kind))


def test_the_kind_is_not_the_callers_to_choose() -> None:
    with pytest.raises(TypeError, match="kind"):
        ExecTarget(("true",), kind="http")  # type: ignore[call-arg]


def test_targets_are_equal_by_value_and_can_be_keys() -> None:
    one, other = (DNSTarget(ip_address("192.0.2.53"), "example.org") for _ in range(2))
    assert one == other
    assert len({one, other}) == 1
