from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.web.world import World, world


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A controller that leads, with a revision adopted."""
    folder: Path = tmp_path_factory.mktemp("api")
    with world(f"sqlite:///{folder}/store.db") as made:
        made.adopted()
        yield made
