"""Of every test: a busy machine is no failure, so no example has a deadline; and which tests take long."""

import pytest
from hypothesis import settings

settings.register_profile("anycastle", deadline=None, print_blob=True)
settings.load_profile("anycastle")

THOROUGH = (
    "tests/cli/test_runbooks_followed.py",
    "tests/cli/test_transcripts.py",
    "tests/property/test_mrt_kernels.py",
    "tests/property/test_twin_",
    "tests/property/watch/",
    "tests/simulation/test_bgp.py::test_a_broken_engine_is_caught",
    "tests/simulation/test_controlled.py",
    "tests/simulation/test_whole.py::test_a_broken_part_is_caught",
    "tests/ui/test_pages.py",
    "tests/unit/cli/test_twin_",
    "tests/unit/io/config/test_document.py",
    "tests/unit/io/feeds/test_mrt_facts.py",
    "tests/unit/io/rpki/test_export.py",
    "tests/unit/kernels/test_mrt_archives.py",
    "tests/unit/twin/test_calibration_real.py",
    "tests/unit/web/test_document.py",
    "tests/unit/wire/bgp/test_real_updates.py",
)
"""What `make check` leaves to `make test`: whole archives, long searches, transcripts. Beginnings of test names."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith(THOROUGH):
            item.add_marker(pytest.mark.thorough)
