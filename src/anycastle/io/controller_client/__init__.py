"""How commands reach a controller: one port, by the socket on its machine (`local`) or by its API (`api`)."""
