"""Pictures for reports: maps, shares, curves. Plain frozen values in; the same bytes out for the same input."""
