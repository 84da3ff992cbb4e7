"""The whole deployment on a virtual clock: controllers, agents, the network between them, and people."""
