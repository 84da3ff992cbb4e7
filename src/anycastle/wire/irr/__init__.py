"""Internet routing registries: RPSL objects (RFC 2622, RFC 4012), and IRRd's `!` protocol: text <-> values."""
