"""Bytes to values and back, without input or output."""
