import pytest

from anycastle.model.notify import NotifyPlan
from anycastle.response.policy import Policy, policy_of

USUAL = Policy()


@pytest.mark.mission("C15")
@pytest.mark.parametrize(
    ("plan", "clear_after_s"),
    [(None, USUAL.clear_after_s), (NotifyPlan(), USUAL.clear_after_s), (NotifyPlan(clear_after_s=10.0), 10.0)],
    ids=["without files", "that say nothing", "that say so"],
)
def test_an_alert_is_over_when_the_fleets_files_say(plan: NotifyPlan | None, clear_after_s: float) -> None:
    assert policy_of(plan).clear_after_s == clear_after_s
    live = Policy(page_after_s=4.0)
    assert policy_of(plan, live).page_after_s == 4.0, "all else stays"
