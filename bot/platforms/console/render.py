"""Draws Markdown and pictures as text with ANSI colours."""

from __future__ import annotations

import io
import re
from typing import Literal, TypeAlias

from PIL import Image, UnidentifiedImageError
from rich.color import Color
from rich.console import Console, RenderableType
from rich.style import Style
from rich.text import Text

from bot.core.delivery.cells import with_cells
from bot.core.delivery.emphasis import GAP, as_meant
from bot.core.delivery.markdown import outside_code
from bot.platforms.console.document import Document
from bot.platforms.markdown.boxes import with_boxes
from bot.platforms.markdown.formulas import as_code
from bot.platforms.markdown.references import named, with_numbers

ColorSystem: TypeAlias = Literal["standard", "256", "truecolor", "windows"]

MAX_WIDTH = 100
"""Columns past which lines of prose are hard to read."""
PREVIEW_WIDTH = 40
PREVIEW_PIXELS = 50_000_000
"""A picture with more pixels than this is not drawn: it would take seconds and gigabytes."""

_COLOR_CODE = re.compile(r"\x1b\[[\d;]*m")


class Renderer:
    """Renders for a terminal with these colours; None is a terminal without any."""

    def __init__(self, colors: ColorSystem | None) -> None:
        self._colors = colors

    def markdown(self, text: str, width: int, *, partial: bool = False) -> str:
        """Markdown as ANSI text, ending with a newline; empty when there is nothing to see."""
        if not text.strip():
            return ""
        text = outside_code(
            as_code(with_cells(text)), lambda words: with_boxes(with_numbers(words))
        )
        drawn = Document(as_meant(named(text)), partial=partial)
        return self._ansi(drawn, min(width, MAX_WIDTH)).replace(GAP, "")

    def line(self, text: str, style: str, width: int) -> str:
        """One line in a style of rich."""
        return self._ansi(Text(text, style=style), width)

    def preview(self, picture: bytes, width: int) -> str:
        """A small picture made of half blocks; empty when that cannot be shown."""
        if self._colors in (None, "standard"):
            return ""
        try:
            with Image.open(io.BytesIO(picture)) as image:
                if image.width * image.height > PREVIEW_PIXELS:
                    return ""
                small = _fit(image, min(width, PREVIEW_WIDTH))
        except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
            return ""
        return self._ansi(_half_blocks(small), width)

    def _ansi(self, drawn: RenderableType, width: int) -> str:
        console = Console(
            file=io.StringIO(),
            force_terminal=True,
            color_system=self._colors,
            no_color=self._colors is None,
            width=width,
            legacy_windows=False,
        )
        with console.capture() as capture:
            console.print(drawn, end="")
        lines = [line.rstrip() for line in capture.get().split("\n")]
        seen = [number for number, line in enumerate(lines) if _COLOR_CODE.sub("", line).strip()]
        return "\n".join(lines[seen[0] : seen[-1] + 1]) + "\n" if seen else ""


def _fit(image: Image.Image, width: int) -> Image.Image:
    """Scale down to `width` columns and an even number of rows, two to a character."""
    height = max(2, round(image.height * width / image.width / 2) * 2)
    return image.convert("RGB").resize((width, min(height, 2 * PREVIEW_WIDTH)))


def _half_blocks(image: Image.Image) -> Text:
    pixels = image.tobytes()

    def color(x: int, y: int) -> Color:
        at = 3 * (y * image.width + x)
        return Color.from_rgb(*pixels[at : at + 3])

    text = Text(no_wrap=True)
    for y in range(0, image.height, 2):
        for x in range(image.width):
            text.append("▀", Style(color=color(x, y), bgcolor=color(x, y + 1)))
        text.append("\n")
    return text
