"""The long-running processes: wiring of engines to the world, no decisions."""
