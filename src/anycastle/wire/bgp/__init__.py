"""BGP-4: messages, path attributes, capabilities and NLRI, bytes to values and back (RFC 4271 §4)."""
