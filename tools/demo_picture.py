"""Draws docs/pictures/demo.svg: runs the demo, and keeps the frame at which every client is answered elsewhere."""

import asyncio
import io
import re
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from anycastle.lab.demo import Demo, Happening
from anycastle.lab.demo_view import DemoView
from anycastle.lab.world import world

WITHOUT_FONTS = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace(
    "Fira Code", "monospace"
)
"""The picture asks no other host for anything."""

PICTURE = Path(__file__).parent.parent / "docs/pictures/demo.svg"


def main() -> None:
    played = Demo(world())
    view = DemoView(played)
    frames: list[str] = []

    def keep_frame(happening: Happening) -> None:
        view.happened(happening)
        if happening.text.endswith("is back"):
            console = Console(record=True, width=120, height=42, force_terminal=True, file=io.StringIO())
            console.print(view)
            frames.append(console.export_svg(title="anycastle demo", code_format=WITHOUT_FONTS))

    played.listen(keep_frame)
    asyncio.run(played.run())
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(frames[0])


if __name__ == "__main__":
    main()
