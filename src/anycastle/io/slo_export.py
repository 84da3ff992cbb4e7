"""Writes objectives for Prometheus, Grafana and as OpenSLO into a folder, each file in one step."""

import json
from collections.abc import Sequence
from pathlib import Path

from anycastle.base.errors import WorldError
from anycastle.io.config.write import yaml_text
from anycastle.io.durable import write_durably
from anycastle.model.objective import Objective
from anycastle.slo.export import grafana, openslo
from anycastle.slo.export.prometheus import Counters, rule_tests, rules

RULES = "anycastle-slo.rules.yaml"
TESTS = "anycastle-slo.test.yaml"


def prometheus_files(objectives: Sequence[Objective], counters: Counters) -> dict[str, str]:
    """Give the rules and their tests."""
    return {RULES: yaml_text(rules(objectives, counters)), TESTS: yaml_text(rule_tests(objectives, RULES, counters))}


def grafana_files(objectives: Sequence[Objective], counters: Counters) -> dict[str, str]:  # noqa: ARG001 - as others
    """Give the dashboards."""
    boards = (grafana.executive(objectives), grafana.on_call(objectives))
    return {f"{board['uid']}.json": json.dumps(board, indent=2, ensure_ascii=False) + "\n" for board in boards}


def openslo_files(objectives: Sequence[Objective], counters: Counters) -> dict[str, str]:
    """Give one file of documents."""
    documents = (yaml_text(openslo.document(each, counters)) for each in objectives)
    return {"anycastle-slo.openslo.yaml": "---\n".join(documents)}


def write_files(files: dict[str, str], folder: Path) -> list[Path]:
    """Write the files. Raises `WorldError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorldError(f"{folder}: {error.strerror}", retryable=False) from error
    for name, text in files.items():
        write_durably(folder / name, text.encode(), 0o644)
    return [folder / name for name in files]
