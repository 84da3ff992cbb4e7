"""A process that commits to a store without end: three events and a count each time. Exit code 3: superseded."""

import asyncio
import sys

from anycastle.base.errors import WorldError
from anycastle.io.store import Superseded, open_store
from tests.unit.io.store.contract import changed


async def main(address: str) -> None:
    store = await open_store(address)
    term = await store.lead("c1")
    count = int((await store.documents()).get("count", b"0"))
    try:
        while True:
            try:
                last = await store.commit(term, {"count": str(count + 1).encode()}, [changed(count)] * 3)
            except WorldError:  # it slept within a transaction, and the database ended it
                count = int((await store.documents()).get("count", b"0"))
                continue
            count += 1
            sys.stdout.write(f"{last}\n")
            sys.stdout.flush()
    except Superseded:
        await store.close()
        sys.exit(3)


asyncio.run(main(sys.argv[1]))
