"""Bulk work compiled with numba: arrays in, arrays out."""
