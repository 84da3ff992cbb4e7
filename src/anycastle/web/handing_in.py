"""What endpoints share by which machines hand in lines: their body in the document, and that the leader takes them."""

from typing import Any, Final

from anycastle.io.store.port import NotLeading
from anycastle.web.parts import Parts

LINES: Final[dict[str, Any]] = {"requestBody": {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}}


def term_of(parts: Parts) -> int:
    """Give the term by which this controller leads. Raises `NotLeading`."""
    term = parts.controller.term()
    if term is None:
        raise NotLeading("the controller that leads keeps what machines hand in")
    return term
