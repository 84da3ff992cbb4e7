"""Readers of measured catchments and collector paths, one file a source."""
