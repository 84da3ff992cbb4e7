"""The quicker scanner gives what ruamel's own gives."""

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from anycastle.io.config.document import _Scanner
from tests.property.test_config_folder import EXAMPLE, FRAGMENTS


def events(text: str, *, quick: bool) -> list[str]:
    yaml = YAML(typ="safe", pure=True)
    if quick:
        yaml.Scanner = _Scanner
    found: list[str] = []
    try:
        found += [f"{event!r} {event.start_mark.line}:{event.start_mark.column}" for event in yaml.parse(text)]
    except (YAMLError, ValueError, OverflowError) as error:
        found.append(repr(error))
    return found


@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20))
@settings(max_examples=500, deadline=None)
def test_events_are_the_same_for_any_text(parts: list[str]) -> None:
    text = "".join(parts)
    assert events(text, quick=True) == events(text, quick=False)


def test_events_are_the_same_for_the_example() -> None:
    for text in EXAMPLE.values():
        assert events(text, quick=True) == events(text, quick=False)
