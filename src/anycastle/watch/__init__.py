"""What the Internet sees of our prefixes: views per peer, detectors, and the life of a finding. Pure."""
