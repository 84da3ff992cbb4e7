"""The twenty symptoms of an anycast network, as rules over evidence. One table (`table`), rules by theme."""
