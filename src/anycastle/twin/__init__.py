"""Who will land where: AS graph, propagation, catchments, loads."""
