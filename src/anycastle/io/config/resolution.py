"""What a plain scalar means: the core schema of YAML 1.2 (§10.3.2), where `no` is text and `22:22` is text."""

import re
from typing import Final

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE: Final = frozenset({"true", "True", "TRUE"})
_FALSE: Final = frozenset({"false", "False", "FALSE"})
_DECIMAL: Final = re.compile(r"[-+]?[0-9]+")
_OCTAL: Final = re.compile(r"0o[0-7]+")
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITY: Final = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN: Final = frozenset({".nan", ".NaN", ".NAN"})
_DIGITS_MAX: Final = 64  # a number beyond it is no number that a fleet needs, and costs time to convert

AMBIGUOUS_BOOLEANS: Final = {
    **dict.fromkeys(("yes", "Yes", "YES", "on", "On", "ON", "y", "Y"), "true"),
    **dict.fromkeys(("no", "No", "NO", "off", "Off", "OFF", "n", "N"), "false"),
}
"""Booleans in YAML 1.1, text in YAML 1.2."""

LEADING_ZERO: Final = re.compile(r"[-+]?0[0-9_]+")
"""Octal in YAML 1.1, decimal in YAML 1.2."""

SEXAGESIMAL: Final = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+")
"""A number of base 60 in YAML 1.1, text in YAML 1.2."""


def resolve(text: str) -> bool | int | float | str | None:
    """Give the value of a plain scalar; text where it is nothing else."""
    if not text or text[0] in "~nNtTfF":
        return _resolve_word(text)
    if text[0] not in "+-.0123456789" or len(text) > _DIGITS_MAX:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text, 0)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text) or text in _NAN:
        return float(text.replace(".nan", "nan").replace(".NaN", "nan").replace(".NAN", "nan"))
    if _INFINITY.fullmatch(text):
        return float("-inf" if text[0] == "-" else "inf")
    return text


def _resolve_word(text: str) -> bool | str | None:
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    return False if text in _FALSE else text
