"""From check results to a decision per prefix and upstream."""
