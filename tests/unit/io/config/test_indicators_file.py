"""The file that names a Prometheus."""

from pathlib import Path

import pytest

from anycastle.base.errors import MisuseError
from anycastle.io.config.indicators_file import load_indicators


def test_a_place_alone_is_enough_for_budgets(tmp_path: Path) -> None:
    (tmp_path / "indicators.yaml").write_text("prometheus: http://127.0.0.1:9090\n")
    settings = load_indicators(tmp_path / "indicators.yaml")
    assert (settings.queries, settings.charts, settings.every_s) == ({}, {}, 15.0)


def test_queries_of_charts_are_the_machines_alone(tmp_path: Path) -> None:
    path = tmp_path / "indicators.yaml"
    path.write_text("prometheus: http://127.0.0.1:9090\ncharts:\n  cpu: avg by (pop) (load)\n")
    assert load_indicators(path).charts == {"cpu": "avg by (pop) (load)"}
    path.write_text("prometheus: http://127.0.0.1:9090\ncharts:\n  burn_rate: up\n")
    with pytest.raises(MisuseError, match=r"indicators.yaml:3:\d+: .*no chart whose query can be given: cpu, drops"):
        load_indicators(path)
