"""A card in place of a picture, where there is no image model; plainly marked as such."""

from __future__ import annotations

import colorsys
import hashlib
import io
import random
import unicodedata
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from bot.sandbox.openai.backend import Drawing, DrawingOrder, Upload
from bot.sandbox.openai.refusal import Refusal

MARK = "LOCAL DRAWING - no image model"
UNREADABLE = "(This machine has no font for the letters of the prompt.)"
_MAX_PIXELS = 50_000_000

_Font: TypeAlias = ImageFont.ImageFont | ImageFont.FreeTypeFont
_Colour: TypeAlias = tuple[int, int, int]

# Pillow's own font has no Chinese, Japanese or Korean. A package of the extra `local` brings
# one that has; otherwise these are the names that systems know such fonts by.
_FONT_PACKAGE = "pylopdf_fonts_zh_cn"
_SYSTEM_FONTS = (
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
    "SourceHanSansSC-Regular.otf",
    "wqy-microhei.ttc",
    "wqy-zenhei.ttc",
    "DroidSansFallbackFull.ttf",
    "PingFang.ttc",
    "Hiragino Sans GB.ttc",
    "Arial Unicode.ttf",
    "msyh.ttc",
    "simhei.ttf",
    "DejaVuSans.ttf",
)


def draw_cards(order: DrawingOrder) -> list[Drawing]:
    """As many cards as ordered: the same prompt gives the same ones. Takes a while; no I/O."""
    wish = order.prompt or "a variation"
    note = f"{MARK}. A card with shapes chosen by the prompt: {wish}"
    return [
        Drawing(png=_card(order, wish, number), revised_prompt=note) for number in range(order.n)
    ]


def _card(order: DrawingOrder, wish: str, number: int) -> bytes:
    seed = hashlib.sha256(f"{wish}\n{number}".encode()).digest()
    chance = random.Random(seed)  # shapes and colours, not secrets
    hue = chance.random()
    size = (order.width, order.height)
    image = _gradient(size, _colour(hue, 0.35, 0.98), _colour(hue + 0.15, 0.6, 0.75))
    if order.pictures:
        _hang(image, order.pictures[0])
    else:
        _scatter(image, chance, hue)
    _write(image, wish, _colour(hue, 0.9, 0.25))
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _colour(hue: float, saturation: float, value: float) -> _Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return int(red * 255), int(green * 255), int(blue * 255)


def _gradient(size: tuple[int, int], top: _Colour, bottom: _Colour) -> Image.Image:
    ramp = Image.linear_gradient("L").resize(size)
    return Image.composite(Image.new("RGB", size, bottom), Image.new("RGB", size, top), ramp)


def _scatter(image: Image.Image, chance: random.Random, hue: float) -> None:
    """Translucent discs, stars and squares in hues near the card's own."""
    pen = ImageDraw.Draw(image, "RGBA")
    width, height = image.size
    for _ in range(chance.randint(9, 16)):
        x, y = chance.uniform(0, width), chance.uniform(0, height * 0.75)
        radius = chance.uniform(0.04, 0.16) * min(width, height)
        fill = (*_colour(hue + chance.uniform(-0.2, 0.4), 0.7, 0.95), chance.randint(90, 190))
        sides = chance.choice((0, 0, 3, 4, 6))
        if sides:
            pen.regular_polygon((x, y, radius), sides, chance.uniform(0, 360), fill=fill)
        else:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _hang(image: Image.Image, picture: Upload) -> None:
    """Hang a picture that was sent on the card, in a white frame."""
    try:
        with Image.open(io.BytesIO(picture.content)) as opened:
            if opened.width * opened.height > _MAX_PIXELS:
                raise _bad_picture()
            opened.draft("RGB", image.size)
            shown = ImageOps.exif_transpose(opened.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise _bad_picture() from error
    shown.thumbnail((int(image.width * 0.7), int(image.height * 0.55)))
    shown = ImageOps.expand(shown, border=max(4, image.width // 64), fill="white")
    image.paste(shown, ((image.width - shown.width) // 2, int(image.height * 0.12)))


def _bad_picture() -> Refusal:
    return Refusal(
        400,
        "Invalid image file or mode for image 1, please check your image file.",
        param="image",
        code="invalid_image_file",
    )


def _write(image: Image.Image, wish: str, ink: _Colour) -> None:
    """The mark above, the prompt below on a pale panel."""
    pen = ImageDraw.Draw(image, "RGBA")
    width, height = image.size
    edge = max(8, width // 32)
    small = ImageFont.load_default(max(10, width // 36))
    pen.rectangle((0, 0, width, edge + width // 24), fill=(255, 255, 255, 200))
    pen.text((edge, edge // 2), MARK, font=small, fill=ink)
    font, text = _readable(wish, max(12, width // 22))
    lines = _wrapped(text, font, width - 4 * edge, most=5)
    step = int(max(12, width // 22) * 1.35)
    top = height - edge - len(lines) * step - edge
    pen.rounded_rectangle((edge, top, width - edge, height - edge), edge, (255, 255, 255, 215))
    for number, line in enumerate(lines):
        pen.text((2 * edge, top + edge // 2 + number * step), line, font=font, fill=ink)


def _readable(text: str, size: int) -> tuple[_Font, str]:
    """A font and what it can show of the text; a plain sentence when that is too little."""
    text = " ".join(
        "".join(c for c in text if unicodedata.category(c)[0] != "C" or c.isspace()).split()
    )
    best: tuple[_Font, str] = ImageFont.load_default(size), UNREADABLE
    most = len(text) // 2
    for font in _fonts(size):
        shown = "".join(c for c in text if c == " " or not _missing(font, c))
        if len(shown) > most:
            best, most = (font, shown), len(shown)
        if most == len(text):
            break
    return best


def _fonts(size: int) -> Iterator[_Font]:
    yield ImageFont.load_default(size)
    for name in (*_packaged_fonts(), *_SYSTEM_FONTS):
        try:
            yield ImageFont.truetype(name, size)
        except OSError:
            continue


def _packaged_fonts() -> Iterator[str]:
    spec = find_spec(_FONT_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield from (str(path) for path in sorted(Path(folder).glob("*Sans*.otf")))


def _missing(font: _Font, letter: str) -> bool:
    """Whether the font draws its box for unknown letters; U+10FFFF is a letter in no font."""
    return bytes(font.getmask(letter)) == bytes(font.getmask("\U0010ffff"))


def _wrapped(text: str, font: _Font, width: float, *, most: int) -> list[str]:
    """At most so many lines no wider than `width`; broken at spaces, else anywhere."""
    lines: list[str] = []
    while text and len(lines) < most:
        end = len(text)
        while end > 1 and font.getlength(text[:end]) > width:
            end -= 1
        if end < len(text) and (space := text.rfind(" ", 0, end + 1)) > 0:
            end = space
        lines.append(text[:end].strip())
        text = text[end:].strip()
    if text:
        lines[-1] = lines[-1][:-1] + "…"
    return lines
