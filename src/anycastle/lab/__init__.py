"""A PoP emulator: topologies, backends, faults, client probes."""
