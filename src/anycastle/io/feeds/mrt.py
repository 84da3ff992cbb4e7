"""MRT archives as values: every record of a source, damage and cuts among them."""

from collections.abc import Iterator

from anycastle.io.feeds.byte_source import ByteSource
from anycastle.wire.mrt.codec import Record, decode_framed
from anycastle.wire.mrt.record import Damaged, RecordFramer


def read_mrt(name: str) -> Iterator[Record]:
    """Give the records of a file, of an address that starts with http:// or https://, or of standard input (`-`).

    Packed ones (gzip, bzip2, zstd, xz) are told by their first octets. A record that cannot be read is `Damaged`, and
    so is the last one of a source that was cut. Raises `WorldError` where the source cannot be opened or read.
    """
    with ByteSource(name) as source:
        framer = RecordFramer()
        for piece in source.pieces():
            framer.feed(piece)
            for raw in framer:
                yield decode_framed(raw)
        cut = framer.finish()
        if cut is not None or source.cut is not None:
            what = "; ".join(text for text in (source.cut, cut and cut.what) if text)
            yield decode_framed(Damaged(what, framer.offset))
