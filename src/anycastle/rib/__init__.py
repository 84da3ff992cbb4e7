"""Routing tables, the decision process and policy (RFC 4271 §3.2, §9)."""
