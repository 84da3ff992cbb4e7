"""What the system says of a failure, for a message that already names the place."""

import os
import ssl


def system_words(error: OSError) -> str:
    """Give the words; asyncio's own for a failed dial repeat the address, and a resolver's numbers are negative."""
    if isinstance(error, ssl.SSLError):  # its numbers are not the system's
        return getattr(error, "verify_message", "") or getattr(error, "reason", "") or str(error)
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error) or "no answer"
