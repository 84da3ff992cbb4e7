"""The BGP Monitoring Protocol, version 3 (RFC 7854, RFC 8671, RFC 9069): octets <-> messages."""
