"""Errors, limits and the ports (time, randomness) that every engine is given."""
