"""Objectives in the forms of other programs, as plain values; `io` writes them."""
