"""Protocol state machines: input and now in, commands and deadlines out."""
