"""Answers of a Prometheus over time."""

import json
from typing import Any

import pytest

from anycastle.base.errors import ParseError
from anycastle.io.prometheus_answer import read_range


def answer(result: Any, kind: str = "matrix") -> bytes:
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}}).encode()


def test_each_series_has_its_labels_and_points() -> None:
    octets = answer([{"metric": {"pop": "ams"}, "values": [[10, "0.5"], [25.5, "NaN"]]}, {"metric": {}, "values": []}])
    ams, nobody = read_range(octets)
    assert ams.labels == {"pop": "ams"}
    assert ams.points[0] == (10.0, 0.5)
    assert ams.points[1][1] != ams.points[1][1]
    assert nobody.points == ()


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"<html>", "not of the Prometheus query API"),
        (b'{"status":"error","error":"too many samples"}', "too many samples"),
        (answer([{"metric": {}, "values": [[1, "high"]]}]), "without plain values"),
        (answer([{"metric": {}, "value": [1, "2"]}], "vector"), "without plain values"),
    ],
)
def test_what_is_no_answer_is_told_in_words(octets: bytes, words: str) -> None:
    with pytest.raises(ParseError, match=words):
        read_range(octets)
