"""Network namespaces for tests: a pair of them, joined, and taken down whatever happens."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from anycastle.lab.netns import Namespace, end, join, run

__all__ = ["Namespace", "end", "joined", "needs_root", "run"]

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root: run `sudo make lab`")


@contextmanager
def joined(prefix: str) -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a veth pair `eth` between them: 10.99.0.1 and .2, 2001:db8:99::1 and ::2."""
    pair = Namespace(f"{prefix}-a"), Namespace(f"{prefix}-b")
    try:
        for each in pair:
            each.remove()
            each.make()
        join(pair[0], "eth", pair[1], "eth")
        for number, each in enumerate(pair, 1):
            each.run("ip", "addr", "add", f"10.99.0.{number}/24", "dev", "eth")
            each.run("ip", "addr", "add", f"2001:db8:99::{number}/64", "dev", "eth", "nodad")
            each.run("ip", "link", "set", "eth", "up")
        yield pair
    finally:
        for each in pair:
            each.remove()
