"""Telemetry in: logs that are followed, counters that are read, OTLP that is received; and what was counted, kept."""
