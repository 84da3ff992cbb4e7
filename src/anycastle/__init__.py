"""Anycast service management: announce where it can serve, and only there."""

__version__ = "0.1.0"
