"""A week and a month in figures, of what real engines recorded."""

from pathlib import Path

import pytest

from anycastle.base.errors import ParseError
from anycastle.base.ports import Timestamp
from anycastle.io.report.markdown import markdown
from anycastle.io.report.review import document_of
from anycastle.response.review import Span, month_of, review_of, week_of
from anycastle.response.story import story_of
from anycastle.watch.validation import Validity
from tests.unit.response.symptoms.rig import START, case_of
from tests.unit.response.symptoms.test_of_agents import flapping, steady_probes
from tests.unit.response.test_timeline import night
from tests.unit.watch.detectors.test_rpki_change import changed

WHOLE = Span("the test's time", Timestamp(START - 3600), Timestamp(START + 86_400))


def test_weeks_and_months_begin_and_end_where_they_should() -> None:
    week, month = week_of("2026-w48"), month_of("2026-12")
    assert (week.end - week.start, week.name) == (7 * 86_400, "week 2026-W48")
    assert week.start == 1_795_392_000  # Monday, 23 November
    assert month.end - month.start == 31 * 86_400
    for wrong in ("2026-48", "2026-W60", "soon"):
        with pytest.raises(ParseError, match="is no week such as"):
            week_of(wrong)
    with pytest.raises(ParseError, match="is no month such as"):
        month_of("2026-13")


@pytest.mark.mission("O5")
def test_a_check_that_was_right_and_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    case = night(tmp_path / "a")
    found = review_of(case, story_of(case), WHOLE)
    (check,) = found.checks
    assert (check.failures, check.unconfirmed, found.pages, found.withdrawals) == (1, 0, 1, 1)
    assert 100 < check.down_s < 140
    case = case_of(tmp_path / "b", events=flapping(3).events(), probes=steady_probes(1400))
    (check,) = review_of(case, story_of(case), WHOLE).checks
    assert (check.failures, check.unconfirmed) == (3, 3)


@pytest.mark.mission("O5")
def test_what_lies_outside_does_not_count_and_what_was_not_given_is_not_known(tmp_path: Path) -> None:
    case = night(tmp_path, with_probes=False)
    story = story_of(case)
    other = review_of(case, story, Span("another week", Timestamp(0.0), Timestamp(1.0)))
    assert (other.checks, other.incidents, other.pages, other.known) == ((), (), 0, None)
    text = markdown(document_of(review_of(case, story, WHOLE), monthly=True))
    assert text.count("not known") >= 4  # probes, policy, RPKI, capacity
    assert "Not given: the watch's event log, probes' results, telemetry of PoPs." in text


@pytest.mark.mission("O5")
def test_a_months_registries(tmp_path: Path) -> None:
    scene = changed(Validity.VALID, Validity.NOT_FOUND)
    case = case_of(tmp_path, watch=scene.events)
    found = review_of(case, story_of(case), WHOLE)
    assert found.findings == {"rpki_change": 1}
    text = markdown(document_of(found, monthly=True))
    assert "rpki\\_change of 192.0.2.0/24 opens" in text
    assert "No upstream was found to do otherwise than told." in text
    assert "## RPKI" not in markdown(document_of(found, monthly=False))
