"""Runbooks as text: what they mean, and where they are wrong."""

import pytest

from anycastle.base.errors import ParseError
from anycastle.response.runbook.document import (
    Approver,
    Otherwise,
    StepKind,
    parse_runbook,
    pattern_of,
    words_of,
)

GOOD = """\
# Take a PoP out

For people.

```parameters
pop: the PoP
reason = because: why
```

## Look

Prose of a step.

```check
run: anycastle controller status -o json
expect: exit 0 3; output "{pop}": \\{
else: continue
within: 2m
```

```console
$ this is for people
```

## Agree

```approval
ask: Take {pop} out?
by: second person
```

## Drain

```command
run: anycastle drain dns --pop {pop} --reason '{reason} now'
danger: yes
undo: anycastle undrain dns --pop {pop} --reason {reason}
```
"""


def wrong(text: str) -> list[str]:
    with pytest.raises(ParseError) as caught:
        parse_runbook(text, "book.md", "book")
    return str(caught.value).splitlines()


@pytest.mark.mission("C15")
def test_a_runbook_is_read() -> None:
    book = parse_runbook(GOOD, "book.md", "book")
    assert (book.title, book.about) == ("Take a PoP out", "For people.")
    assert [(each.name, each.default) for each in book.parameters] == [("pop", None), ("reason", "because")]
    look, agree, drain = book.steps
    assert (look.kind, look.title, look.prose, look.within_s) == (StepKind.CHECK, "Look", "Prose of a step.", 120.0)
    assert (look.expect.exits, look.otherwise) == ((0, 3), Otherwise.CONTINUE)
    assert (agree.kind, agree.approver, agree.ask) == (StepKind.APPROVAL, Approver.SECOND_PERSON, "Take {pop} out?")
    assert drain.dangerous


def test_a_value_is_one_word_whatever_it_holds() -> None:
    book = parse_runbook(GOOD, "book.md", "book")
    values = {"pop": "fra; rm -rf / --all", "reason": "a 'b'"}
    assert words_of(book.steps[2], values) == (
        "anycastle", "drain", "dns", "--pop", "fra; rm -rf / --all", "--reason", "a 'b' now",
    )  # fmt: skip
    with pytest.raises(ParseError, match="would be an option"):
        words_of(book.steps[2], {"pop": "--server=https://evil.example", "reason": "x"})
    pattern = pattern_of(book.steps[0], {"pop": "a.b"})
    assert pattern is not None
    assert pattern.search('"a.b": {')
    assert not pattern.search('"axb": {')


def test_all_that_is_wrong_is_told_at_once_with_its_place() -> None:
    text = (
        GOOD.replace("```check", "```chek").replace("--pop {pop}", "--pop {pob}", 1).replace("by: sec", "by: the sec")
    )
    assert wrong(text) == [
        "book.md:14:4: Look: 'chek' is no kind of step; did you mean 'check'?",
        "book.md:29:5: step 1.by: 'the second person' is none of anyone, second person; did you mean 'second person'?",
        "book.md:35:32: step 2.run: no parameter is called 'pob'; did you mean 'pop'?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("danger: yes\n", "", "book.md:34:1: step 3: this command moves traffic: say `danger: yes`"),
        ("danger: yes\n", "dangr: yes\n", "book.md:36:1: step 3: 'dangr' is no key of a command"),
        ("run: anycastle controller status", "run: anycastle drain dns", "a check changes nothing, and this command"),
        ("anycastle drain dns --pop {pop}", "anycastle runbook approve r1", "an approval is a person's"),
        ("anycastle drain dns --pop {pop}", "anycastle rollout approve 7", "an approval is a person's"),
        ("anycastle controller status", "anycastle controller token ada", "is a secret, and would stand in the log"),
        ("run: anycastle controller", "run: rm controller", "a step runs a command of `anycastle`, and nothing else"),
        ("within: 2m", "within: 2 days", "'2 days' is no span"),
        ('output "{pop}": \\{', "output (", "no regular expression"),
        ('output "{pop}": \\{', "says yes", "write `exit 0 3`"),
        ("'{reason} now'", "'{reason} now", "no closing quotation"),
        ("```approval\nask: Take {pop} out?\nby: second person\n```\n", "", "needs an approval of its own before it"),
        ("ask: Take {pop} out?\n", "", "approval needs `ask: ...`"),
        ("# Take a PoP out\n", "\n", "the first heading, `# Title`, is missing"),
        ("pop: the PoP\n", "pop: the PoP\npop: again\n", "parameters.pop: it is there twice"),
    ],
)
def test_each_mistake_is_told(old: str, new: str, said: str) -> None:
    assert old in GOOD
    assert any(said in line for line in wrong(GOOD.replace(old, new, 1))), wrong(GOOD.replace(old, new, 1))


def test_a_block_without_an_end_and_a_text_without_steps() -> None:
    assert any("has no end" in line for line in wrong(GOOD.removesuffix("```\n")))
    assert any("there is no step" in line for line in wrong("# Only words\n"))


def test_one_approval_allows_one_dangerous_command() -> None:
    again = GOOD + "\n## Again\n\n```command\nrun: anycastle withdraw dns --pop {pop} --reason x\ndanger: yes\n```\n"
    assert any("step 4: a dangerous command needs an approval of its own" in line for line in wrong(again))


@pytest.mark.mission("C15", "C16")
@pytest.mark.parametrize(
    "run",
    [
        "anycastle {pop} dns --pop fra --reason x",
        "anycastle --verbose drain dns --pop fra --reason x",
        "anycastle rollout {pop} 1 --reason x",
        "anycastle mitigate --quiet hijack 192.0.2.0/24 --reason x",
        "anycastle runbook {pop} pop-failure",
    ],
)
def test_no_value_and_no_option_hides_which_command_a_step_runs(run: str) -> None:
    (found,) = wrong(GOOD.replace("run: anycastle controller status -o json", f"run: {run}"))
    assert (
        found
        == "book.md:15:6: step 1.run: the command's own words come first, without options and parameters among them"
    )


def test_a_longer_fence_holds_shorter_ones() -> None:
    told = "````text\n```check\nrun: anycastle freeze --reason x\n```\n````\n\n## Look\n"
    assert len(parse_runbook(GOOD.replace("## Look\n", told), "book.md", "book").steps) == 3
