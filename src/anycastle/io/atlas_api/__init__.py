"""RIPE Atlas over its REST and streaming APIs: measurements are ordered, their results fetched and followed."""
