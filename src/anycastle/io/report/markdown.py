"""A report as Markdown (CommonMark with tables)."""

import re
from collections.abc import Iterator

from anycastle.io.report.document import Block, Bullets, Document, Figures, Paragraph, Picture, Rows


def markdown(document: Document) -> str:
    """Write a report. Pictures are linked by their files' names, beside it."""
    lines = [f"# {_plain(document.title)}", "", _plain(document.about), ""]
    for section in document.sections:
        lines += [f"## {_plain(section.title)}", ""]
        for block in section.blocks:
            lines += [*_block(block), ""]
    return "\n".join(lines).rstrip() + "\n"


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(text):
            yield _plain(text)
        case Bullets(items, is_open):
            yield from (f"- {'[ ] ' if is_open else ''}{_plain(item)}" for item in items)
        case Figures(items):
            yield from (f"- **{_plain(value)}** {_plain(what)}" for value, what in items)
        case Picture(path, words):
            yield f"![{_plain(words)}](<{path.name}>)"
        case Rows(columns, rows):
            yield "| " + " | ".join(_plain(column) for column in columns) + " |"
            yield "|" + "---|" * len(columns)
            yield from ("| " + " | ".join(_plain(cell) for cell in row) + " |" for row in rows)


def _plain(text: str) -> str:
    """Give a text on one line, in which nothing means anything to Markdown."""
    return re.sub(r"([\\`*_\[\]<>|#~])", r"\\\1", " ".join(text.split()))
