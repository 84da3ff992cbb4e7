"""What tests of `io` share."""

from tests.unit.io.checks.conftest import closed_port

__all__ = ["closed_port"]
