"""Fixtures that several rooms share."""

from tests.unit.io.checks.conftest import closed_port, no_descriptor_leaks

__all__ = ["closed_port", "no_descriptor_leaks"]
