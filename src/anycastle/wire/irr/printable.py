"""What others wrote into a registry, fit for a terminal: it may hold control sequences as well as words."""


def printable(text: str) -> str:
    """Give a text with tabs as spaces, and every other character that does not print as U+FFFD."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else "\ufffd" for each in text.replace("\t", " "))
