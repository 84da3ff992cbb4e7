"""The fuzzer's corpus, replayed: what once reached new code still raises nothing undeclared."""

from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parents[1] / "fuzz" / "corpus"


@pytest.mark.rfc("7606", "2")
@pytest.mark.parametrize("family", TARGETS)
def test_corpus(family: str) -> None:
    inputs = sorted((CORPUS / family).iterdir())
    assert len(inputs) >= 3
    for path in inputs:
        TARGETS[family](path.read_bytes())


@pytest.mark.parametrize("family", TARGETS)
def test_nothing_and_one_octet(family: str) -> None:
    for octets in (b"", *(bytes((octet,)) for octet in range(256))):
        TARGETS[family](octets)
