"""YAML text -> parser events with their places, by either of two parsers.

Theory of operation. `checked_events` is the one that counts: ruamel's parser in Python, which reads YAML 1.2 and whose
errors a user sees. `quick_events` is libyaml, ten times faster, but of YAML 1.1, and with errors of its own. So a file
is read quickly only where both are known to give the same (`reads_alike`), and whoever finds anything at all in it
reads it once more by the other. What an empty value's place is, the two do not agree on either.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import Event
from ruamel.yaml.scanner import Scanner
from ruamel.yaml.tokens import Token

try:
    from _ruamel_yaml import CParser  # type: ignore[import-not-found]
except ImportError:  # no wheel for this machine: everything is read by the parser in Python
    CParser: Any = None  # type: ignore[no-redef]

_UNLIKE: Final = re.compile(
    r"[\t\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]"  # breaks of YAML 1.1, tabs, what may not stand in YAML
    r"|(?<![^\s\[\]{},:\"'-])[!&*|>%@`?]"  # where one begins a token: tags, anchors, blocks, directives, complex keys
    r"|[\"'\]}]:\S|:[,\[\]{}]"  # a colon without a space, as JSON has it
    r"|(?:^|[\r\n])\.\.\.",  # the end of a document: what may follow it differs
)


class QuickParserError(Exception):
    """The quick parser does not read on; what is wrong, the other one says."""


def reads_alike(text: str) -> bool:
    """Tell whether both parsers give the same events for a text that is without an error."""
    return CParser is not None and _UNLIKE.search(text) is None


def quick_events(text: str) -> Iterator[Event]:
    """Give the events of a text that reads alike. Raises `QuickParserError` for whatever is wrong with it."""
    try:
        parser = CParser(text)
        while parser.check_event():
            yield parser.get_event()
    except (YAMLError, ValueError) as error:
        raise QuickParserError from error


def checked_events(text: str) -> Iterator[Event]:
    """Give the events of any text. Raises `YAMLError`; ValueError or OverflowError for an escape out of range."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner = CheckedScanner
    yield from yaml.parse(text)


class CheckedScanner(Scanner):
    """ruamel's scanner, which looks ahead anew for each question of the parser (about six a token).

    Here it looks ahead once a token, which takes a fifth off the time of a large fleet; what it gives is the same.
    """

    _settled = False

    def _settle(self) -> None:
        if not self._settled:
            while self.need_more_tokens():
                self.fetch_more_tokens()
            self._settled = True

    def check_token(self, *choices: type[Token]) -> bool:
        """Tell whether the next token is of one of these kinds."""
        self._settle()
        return bool(self.tokens) and (not choices or isinstance(self.tokens[0], choices))

    def peek_token(self) -> Token | None:
        """Give the next token."""
        self._settle()
        return self.tokens[0] if self.tokens else None

    def get_token(self) -> Token | None:
        """Take the next token."""
        self._settle()
        self._settled = False
        if not self.tokens:
            return None
        self.tokens_taken += 1
        token: Token = self.tokens.pop(0)
        return token
