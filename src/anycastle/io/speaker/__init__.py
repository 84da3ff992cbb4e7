"""The BGP speaker: sockets, clocks and routes around the session engine."""
