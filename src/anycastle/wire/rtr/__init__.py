"""The RPKI to Router protocol, versions 0 to 2 (RFC 6810, RFC 8210, draft-ietf-sidrops-8210bis): octets <-> PDUs."""
