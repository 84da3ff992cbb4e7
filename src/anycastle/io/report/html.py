"""A report as one HTML file: its pictures are within it, it loads nothing and runs nothing."""

import re
from html import escape
from typing import Final

from anycastle.base.errors import WorldError
from anycastle.io.report.document import Block, Bullets, Document, Figures, Paragraph, Picture, Rows

_STYLE: Final = """
:root { color-scheme: light; --ink: #1f2933; --quiet: #616e7c; --line: #d5dbe1; --ground: #fff; --mark: #eef1f4; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f7f9; color: var(--ink); font: 15px/1.55 "DejaVu Sans", system-ui, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 2.2rem 2.4rem 4rem; background: var(--ground); min-height: 100vh; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 46rem; } .about { color: var(--quiet); margin-bottom: 1.4rem; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 1rem; font-size: .88rem; }
th { text-align: left; color: var(--quiet); font-weight: 600; border-bottom: 1px solid var(--line); }
th, td { padding: .34rem .7rem .34rem 0; vertical-align: top; }
td { border-bottom: 1px solid #edf0f2; overflow-wrap: anywhere; }
td.mono { font: .82rem/1.6 "DejaVu Sans Mono", ui-monospace, monospace; white-space: nowrap; }
td.mark span { background: var(--mark); border-radius: .25rem; padding: .05rem .45rem; white-space: nowrap; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .8rem; margin: 1rem 0; }
.figures div { border: 1px solid var(--line); border-radius: .4rem; padding: .7rem .9rem; }
.figures b { display: block; font-size: 1.35rem; line-height: 1.3; }
.figures span { color: var(--quiet); font-size: .85rem; }
ul { padding-left: 1.3rem; margin: .5rem 0; } li { margin: .2rem 0; } ul.open { list-style: none; padding-left: 0; }
ul.open li::before { content: "\\2610"; margin-right: .6rem; color: var(--quiet); }
figure { margin: 1rem 0; } figure svg { width: 100%; height: auto; display: block; }
figcaption { color: var(--quiet); font-size: .85rem; }
@media print { body { background: none; } main { padding: 0; max-width: none; } tr, figure { break-inside: avoid; } }
"""
_MARKS: Final = {
    "alert": "#fbe3d6", "notified": "#fbe3d6", "bgp": "#dcecf7", "finding": "#f6dfeb", "change": "#fdf0cf",
    "automation": "#d8f0e7", "probe": "#e6e2f3", "runbook": "#fdf0cf", "likely": "#fbe3d6", "possible": "#fdf0cf",
}  # fmt: skip


def html(document: Document) -> str:
    """Write a report. Raises `WorldError` where a picture cannot be read."""
    parts = [
        "<!doctype html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; style-src \'unsafe-inline\'">',
        f"<title>{escape(document.title)}</title>", f"<style>{_STYLE}</style>", "</head>", "<body>", "<main>",
        f"<h1>{escape(document.title)}</h1>", f'<p class="about">{escape(document.about)}</p>',
    ]  # fmt: skip
    for section in document.sections:
        parts.append(f"<section><h2>{escape(section.title)}</h2>")
        parts += [_block(block) for block in section.blocks]
        parts.append("</section>")
    return "\n".join([*parts, "</main>", "</body>", "</html>", ""])


def _block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{escape(text)}</p>"
        case Bullets(items, is_open):
            kind = ' class="open"' if is_open else ""
            return f"<ul{kind}>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
        case Figures(items):
            boxes = (f"<div><b>{escape(value)}</b><span>{escape(what)}</span></div>" for value, what in items)
            return '<div class="figures">' + "".join(boxes) + "</div>"
        case Picture():
            return _picture(block)
        case Rows():
            return _table(block)


def _table(rows: Rows) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in rows.columns)
    body = "".join(
        "<tr>" + "".join(_cell(rows, at, cell) for at, cell in enumerate(row)) + "</tr>" for row in rows.rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(rows: Rows, at: int, cell: str) -> str:
    if at == rows.mark:
        colour = _MARKS.get(cell)
        style = f' style="background: {colour}"' if colour else ""
        return f'<td class="mark"><span{style}>{escape(cell)}</span></td>'
    return f'<td class="mono">{escape(cell)}</td>' if at in rows.mono else f"<td>{escape(cell)}</td>"


def _picture(picture: Picture) -> str:
    try:
        text = picture.path.read_text(encoding="utf-8")
    except OSError as error:
        raise WorldError(f"{picture.path} cannot be read: {error.strerror}", retryable=False) from error
    drawing = text[text.index("<svg") :]
    drawing = re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)
    named = f'<svg role="img" aria-label="{escape(picture.words)}"' + drawing[4:]
    return f"<figure>{named}<figcaption>{escape(picture.words)}</figcaption></figure>"
