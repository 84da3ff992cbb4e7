"""Where a run stands: what began and has no end is asked about, and nobody approves for two."""

import pytest

from anycastle.base.errors import MisuseError
from anycastle.model.event import RunbookStepped
from anycastle.response.runbook.document import Runbook, parse_runbook
from anycastle.response.runbook.progress import Next, Progress, next_of, require_approver, runs_of
from tests.unit.response.runbook.test_document import GOOD


@pytest.fixture
def book() -> Runbook:
    return parse_runbook(GOOD, "book.md", "book")


def told(book: Runbook, *steps: tuple[int, str]) -> Progress:
    first = RunbookStepped("r1", "book", book.digest, "3", 0, book.title, "begun", "ada", "", ("pop=fra", "reason=a=b"))
    later = [RunbookStepped("r1", "book", book.digest, "3", n, "", state, "bob", "", ()) for n, state in steps]
    return runs_of([first, *later])["r1"]


def test_values_and_order(book: Runbook) -> None:
    progress = told(book)
    assert progress.values == {"pop": "fra", "reason": "a=b"}
    assert next_of(book, progress) == (Next.DO, book.steps[0])
    assert next_of(book, told(book, (1, "begun"), (1, "done"))) == (Next.APPROVAL, book.steps[1])
    assert next_of(book, told(book, (1, "done"), (2, "approved"))) == (Next.DO, book.steps[2])
    assert next_of(book, told(book, (1, "done"), (2, "approved"), (3, "done")))[0] is Next.END
    assert next_of(book, told(book, (1, "done"), (2, "approved"), (3, "done"), (0, "ended")))[0] is Next.OVER


def test_a_command_that_began_is_asked_about_and_a_check_is_asked_again(book: Runbook) -> None:
    assert next_of(book, told(book, (1, "begun"))) == (Next.DO, book.steps[0])
    begun = [(1, "done"), (2, "approved"), (3, "begun")]
    assert next_of(book, told(book, *begun)) == (Next.ASK, book.steps[2])
    assert next_of(book, told(book, *begun, (3, "failed"))) == (Next.STOPPED, book.steps[2])
    assert next_of(book, told(book, *begun, (3, "failed"), (3, "again"))) == (Next.DO, book.steps[2])
    assert next_of(book, told(book, *begun, (3, "failed"), (3, "skipped")))[0] is Next.END


def test_a_check_that_may_fail_does_not_stop(book: Runbook) -> None:
    assert next_of(book, told(book, (1, "begun"), (1, "failed"))) == (Next.APPROVAL, book.steps[1])


def test_a_changed_file_ends_a_run(book: Runbook) -> None:
    other = parse_runbook(GOOD.replace("danger: yes", "danger: yes\nwithin: 5m"), "book.md", "book")
    with pytest.raises(MisuseError, match="was changed since run r1 began"):
        next_of(other, told(book))


def test_nobody_is_two_people(book: Runbook) -> None:
    progress = told(book, (1, "done"))
    require_approver(book.steps[1], progress, "bob")
    with pytest.raises(MisuseError, match="needs a second person"):
        require_approver(book.steps[1], progress, " Ada ")
    with pytest.raises(MisuseError, match="name one"):
        require_approver(book.steps[1], progress, " ")
    with pytest.raises(MisuseError, match="needs no approval"):
        require_approver(book.steps[0], progress, "bob")
