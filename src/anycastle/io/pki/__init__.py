"""The fleet's own certificate authority: what it issues, what it takes back, and how certificates are read."""
