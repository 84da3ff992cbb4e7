"""Kinds of probes, one module each: what is asked, what was seen, and whether that is what is expected.

They are pure: what goes out and what came are octets or plain values, and `anycastle.io.probe` has a module of the same
name with the sockets.
"""
