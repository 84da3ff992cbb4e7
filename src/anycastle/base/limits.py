"""Every bound that keeps a queue, a buffer or a wait finite, by name."""

MESSAGE_MAX = 4096
"""Octets of a BGP message without the extended message capability (RFC 4271 §4.1)."""

MESSAGE_MAX_EXTENDED = 65535
"""Octets of a BGP message with it (RFC 8654 §3)."""

RECEIVE_BUFFER_MAX = 4 * MESSAGE_MAX_EXTENDED
"""Octets read from a peer and not yet decoded."""

SEND_QUEUE_MAX = 4 * 1024 * 1024
"""Octets queued to a peer that does not read; beyond it the session ends (Cease, Out of Resources)."""

PREFIXES_PER_PEER_MAX = 2_000_000
"""Prefixes accepted from a peer where no max-prefix is configured."""

EVENT_BYTES_MAX = 64 * 1024
"""Octets of one encoded event; evidence beyond it is cut, and says so."""

EVIDENCE_CHARACTERS_MAX = 512
"""Characters kept of a check's evidence."""

EXEC_OUTPUT_BYTES_MAX = 64 * 1024
"""Octets read from the output of an exec check."""

HTTP_BODY_BYTES_MAX = 1024 * 1024
"""Octets of an HTTP body that a check reads."""

AS_PATH_PREPEND_MAX = 16
"""Own ASN repetitions that policy may add; several networks drop paths that are much longer."""
