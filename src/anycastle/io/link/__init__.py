"""The link's sockets: WebSockets over mutual TLS, the listener of controllers and the agent's client."""
