"""Who is told what, once: alerts become pages, tickets, incidents; what follows from a known cause wakes nobody.

Pure.
"""
