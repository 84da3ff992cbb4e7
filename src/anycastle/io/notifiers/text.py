"""A message as people read it, in lines."""

from datetime import UTC, datetime

from anycastle.response.message import Message


def rfc3339(seconds: float) -> str:
    """Give a time as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def facts(message: Message) -> dict[str, str]:
    """Give what is known, by its name; what is not is left out."""
    found = {
        "since": rfc3339(message.opened),
        "alert": message.alert,
        "PoPs": ", ".join(message.pops),
        "services": ", ".join(message.services),
        "prefixes": ", ".join(message.prefixes),
        "regions": ", ".join(message.regions),
        "folded": str(message.folded or ""),
    }
    return {name: text for name, text in found.items() if text}


def plain_text(message: Message) -> str:
    """Give all of it."""
    lines = [message.title, "", *(f"{name}: {text}" for name, text in facts(message).items())]
    if message.timeline:
        lines += ["", "last of its timeline:", *(f"- {line}" for line in message.timeline)]
    if message.incident and not message.over:
        lines += ["", f"To end reminders: anycastle incidents ack {message.incident}"]
    return "\n".join(lines) + "\n"
