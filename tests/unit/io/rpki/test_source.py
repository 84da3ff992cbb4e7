import asyncio
import json
import os
from pathlib import Path

import pytest

from anycastle.io.rpki import source
from anycastle.io.rpki.source import CurrentVRPs, ExportSource
from anycastle.kernels.vrp_table import VRPTable
from anycastle.model.asn import ASN
from anycastle.model.prefix import parse_prefix
from anycastle.model.rpki import VRP, Validity

PREFIX, ORIGIN = parse_prefix("192.0.2.0/24"), ASN(64500)
TABLE = VRPTable.of([VRP(PREFIX, 24, ORIGIN)])


@pytest.mark.mission("I8")
def test_without_vrps_an_origin_is_unknown_and_with_them_it_is_told_anew() -> None:
    changes: list[None] = []
    current = CurrentVRPs(lambda: changes.append(None))
    assert current.validity(PREFIX, ORIGIN) is Validity.UNKNOWN
    current.set(TABLE)
    assert current.validity(PREFIX, ORIGIN) is current.validity(PREFIX, ORIGIN) is Validity.VALID
    current.set(VRPTable.of([]))
    assert current.validity(PREFIX, ORIGIN) is Validity.NOT_FOUND
    current.set(None)
    assert current.validity(PREFIX, ORIGIN) is Validity.UNKNOWN
    assert len(changes) == 3


def test_an_export_is_read_again_and_the_last_one_stands_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "vrps.json"
    monkeypatch.setattr(source, "EXPORT_REFRESH_S", 0.01)
    monkeypatch.setattr(source, "EXPORT_EXPIRES_S", 0.05)

    async def follow() -> None:
        current = CurrentVRPs()
        kept = ExportSource(str(path), current)
        running = asyncio.create_task(kept.run())
        async with asyncio.timeout(20):
            while "No such file" not in kept.trouble:
                await asyncio.sleep(0.005)
            assert not kept.connected
            path.write_text(json.dumps({"roas": [{"asn": 64500, "prefix": "192.0.2.0/24"}]}))
            while not kept.connected:
                await asyncio.sleep(0.005)
            assert (current.validity(PREFIX, ORIGIN), kept.trouble) == (Validity.VALID, "")
            path.write_text("{")
            while kept.connected:
                await asyncio.sleep(0.005)
            assert "not the JSON export" in kept.trouble
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(follow())


def test_what_is_asked_for_while_a_read_goes_on_is_read_after_that(tmp_path: Path) -> None:
    pipe = tmp_path / "vrps.json"
    os.mkfifo(pipe)
    older, newer = (json.dumps({"roas": [{"asn": asn, "prefix": "192.0.2.0/24"}]}) for asn in (64511, 64500))

    async def follow() -> Validity:
        current = CurrentVRPs()
        kept = ExportSource(str(pipe), current)
        running = asyncio.create_task(kept.run())
        try:
            async with asyncio.timeout(20):
                with await asyncio.to_thread(pipe.open, "w") as writer:  # the first read has begun
                    asked = asyncio.create_task(kept.read_again())
                    await asyncio.sleep(0)
                    writer.write(older)
                while current.table is None:
                    await asyncio.sleep(0.005)
                assert not asked.done()
                await asyncio.to_thread(pipe.write_text, newer)
                await asked
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            os.close(os.open(pipe, os.O_RDWR))  # lets go of whoever still waits for a writer
        return current.validity(PREFIX, ORIGIN)

    assert asyncio.run(follow()) is Validity.VALID
