"""Makes the page's style and names those of an installation: the operator's colour in both themes, and its name in place of Serendip's.

**Invariant:** whatever colour is chosen, text on it and in it keeps a contrast of 4.5:1 at least in each theme (WCAG 2.2, 1.4.3).
"""

import colorsys
import re
from collections.abc import Callable
from typing import Final, NamedTuple

from server.http.words.catalogue import BRAND

TEXT: Final = 4.5  # least contrast
_LIGHT, _DARK = (
    "#f5f4f0",
    "#171e1c",
)  # the ground in the light theme, and the lighter of the two in the dark one (style/tokens.css)
_TOKENS: Final = ("accent", "accent-hover", "on-accent", "soft", "soft-ink", "mine", "on-mine")


class Look(NamedTuple):
    """An operator's name for the installation and its colour, `#rrggbb`; empty: those of the project."""

    name: str = ""
    colour: str = ""


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    """Return the contrast of two colours, 1 to 21."""
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def shades(colour: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values of the tokens for the light and for the dark theme."""
    dark = _until(colour, -1, lambda one: contrast(one, _LIGHT) >= TEXT and contrast(one, "#ffffff") >= TEXT)
    soft = _mixed(dark, "#ffffff", 0.86)
    light_theme = {
        "accent": dark, "accent-hover": _mixed(dark, "#000000", 0.22), "on-accent": "#ffffff",
        "soft": soft, "soft-ink": _until(dark, -1, lambda one: contrast(one, soft) >= TEXT), "mine": dark, "on-mine": "#ffffff",
    }  # fmt: skip
    bright = _until(colour, 1, lambda one: contrast(one, _DARK) >= TEXT + 1.5)
    on_bright = _mixed(bright, "#000000", 0.86)
    deep = _until(colour, -1, lambda one: contrast(one, "#f2f5f4") >= TEXT + 1.5)
    dim = _mixed(bright, _DARK, 0.82)
    dark_theme = {
        "accent": bright, "accent-hover": _mixed(bright, "#ffffff", 0.25), "on-accent": on_bright,
        "soft": dim, "soft-ink": _mixed(bright, "#ffffff", 0.45), "mine": deep, "on-mine": "#f2f5f4",
    }  # fmt: skip
    return light_theme, dark_theme


def coloured(tokens: bytes, colour: str) -> bytes:
    """Return the sheet of tokens with this colour in each theme. Raises ValueError if the sheet is not the page's."""
    if not colour:
        return tokens
    light, dark = shades(colour)
    text = tokens.decode()
    themes = text.split("color-scheme: ")
    if len(themes) < 2:
        raise ValueError("a sheet without themes")
    found = [themes[0]]
    for theme in themes[1:]:
        values = dark if theme.startswith("dark") else light
        for name in _TOKENS:
            theme = re.sub(rf"(--{name}: )#[0-9a-f]+(?=;)", rf"\g<1>{values[name]}", theme)
        found.append(theme)
    return "color-scheme: ".join(found).encode()


def named(text: bytes, name: str) -> bytes:
    """Return a shell or manifest that calls the installation by its name; the name is escaped by the caller."""
    return text.replace(BRAND.encode(), name.encode()) if name else text


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return red, green, blue


def _hex(red: float, green: float, blue: float) -> str:
    return "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue))


def _mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with this share of another."""
    red, green, blue = (a * (1 - share) + b * share for a, b in zip(_parts(colour), _parts(other), strict=True))
    return _hex(red, green, blue)


def _until(colour: str, way: int, fits: Callable[[str], bool]) -> str:
    """Return the first shade that fits, darker (-1) or lighter (1) step by step; black or white at the end."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    limit = 1.0 if way > 0 else 0.0
    while lightness != limit and not fits(_hex(*colorsys.hls_to_rgb(hue, lightness, saturation))):
        lightness = min(1.0, max(0.0, lightness + way * 0.01))
    return _hex(*colorsys.hls_to_rgb(hue, lightness, saturation))
