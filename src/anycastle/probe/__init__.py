"""What probes saw, made sense of: which PoP answered whom, since when, how far off and how fast. Pure."""
