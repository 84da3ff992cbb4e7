"""The lab's registry, spoken to by hand."""

import asyncio

import pytest

from anycastle.lab.irr_server import IRRServer
from anycastle.model.asn import ASN
from anycastle.model.irr import ASSet, SetName
from anycastle.watch.irr.database import VERSION, Database
from anycastle.wire.irr.query import QUERY_OCTETS_MAX
from anycastle.wire.irr.reply import Data, encode_reply

DATABASE = Database(
    [ASSet(SetName("AS-X"), (ASN(1), ASN(2)), source="RIPE"), ASSet(SetName("AS-X"), (ASN(3),), source="RADB")]
)


def answered(octets: bytes, *, set_prefixes: bool = True) -> bytes:
    """Give all that the server says to this until it hangs up."""

    async def talk() -> bytes:
        server = IRRServer(DATABASE, set_prefixes=set_prefixes)
        reader, writer = await asyncio.open_connection("127.0.0.1", await server.start())
        writer.write(octets)
        async with asyncio.timeout(20):
            said = await reader.read()
        writer.close()
        await server.close()
        return said

    return asyncio.run(talk())


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (b"!iAS-X\n!iAS-X\n", b"A8\nAS1 AS2\nC\n"),
        (b"!!\n!nme\n!iAS-X\n!q\n!iAS-X\n", b"C\nA8\nAS1 AS2\nC\n"),
        (b"!!\n!sRADB\n!iAS-X\n!s-lc\n!q\n", b"C\nA4\nAS3\nC\nA5\nRADB\nC\n"),
        (
            b"!!\n!sLEVEL3\n!iAS-X\n!q\n",
            b"F One or more selected sources are unavailable: LEVEL3\nA8\nAS1 AS2\nC\n",
        ),
        (b"!!\n!iAS-Y\n!z\n!t0\n!t60\n!q\n", b"D\nF Unrecognised command: z\nF Invalid value for timeout: 0\nC\n"),
        (b"!!\n!a\n!q\n", b"F Missing required set name for A query\n"),
        (b"!!\r\n!v\r\n!q\r\n", encode_reply(Data(VERSION))),
        (b"!!\n" + b"x" * (4 * QUERY_OCTETS_MAX), b""),
        (b"!!\n!t1\n", b"C\n"),
    ],
)
def test_dialogues(asked: bytes, said: bytes) -> None:
    assert answered(asked) == said


def test_a_server_without_set_prefixes() -> None:
    assert answered(b"!a\n", set_prefixes=False) == b"F Unrecognised command: a\n"
