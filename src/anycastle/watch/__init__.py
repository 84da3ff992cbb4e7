"""The Internet's view of our prefixes: routes seen in, findings out."""
