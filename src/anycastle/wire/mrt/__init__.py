"""MRT: the format of route collectors' archives (RFC 6396, 6397, 8050), octets to values and back."""
