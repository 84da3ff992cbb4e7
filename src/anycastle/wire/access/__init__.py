"""Access logs: a line <-> what became of a request or a session. One module a server; `table` lists them."""
