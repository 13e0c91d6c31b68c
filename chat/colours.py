"""An agent's colour, adjusted until it can be read: the hue stays, the lightness gives way."""

from __future__ import annotations

from functools import cache
from math import cbrt

READABLE = 4.6  # WCAG asks for a contrast of 4.5 for text; rounding to whole channels costs a little
LIGHT_PAPER = "#ffffff"
DARK_PAPER = "#23272d"  # the lightest surface of the dark theme that carries text
STEP = 0.01

Linear = tuple[float, float, float]


@cache
def readable(colour: str, paper: str) -> str:
    """The colour nearest to `colour` that can be read on `paper`, as #rrggbb."""
    lightness, a, b = _to_oklab(_to_linear(colour))
    step = -STEP if _luminance(_to_linear(paper)) > 0.2 else STEP
    while contrast(candidate := _to_hex(_from_oklab(lightness, a, b)), paper) < READABLE and 0 <= lightness <= 1:
        lightness += step
    return candidate


def contrast(one: str, other: str) -> float:
    """WCAG contrast ratio of two colours, 1 to 21."""
    darker, lighter = sorted((_luminance(_to_linear(one)), _luminance(_to_linear(other))))
    return (lighter + 0.05) / (darker + 0.05)


def _to_linear(colour: str) -> Linear:
    r, g, b = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return _decoded(r), _decoded(g), _decoded(b)


def _decoded(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _encoded(channel: float) -> int:
    channel = min(max(channel, 0.0), 1.0)
    return round(255 * (channel * 12.92 if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055))


def _to_hex(linear: Linear) -> str:
    return "#{:02x}{:02x}{:02x}".format(*(_encoded(channel) for channel in linear))


def _luminance(linear: Linear) -> float:
    r, g, b = linear
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def _to_oklab(linear: Linear) -> tuple[float, float, float]:
    """Björn Ottosson's perceptual space: equal steps of lightness look equal, and the hue does not drift."""
    r, g, b = linear
    long = cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b)
    middle = cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b)
    short = cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _from_oklab(lightness: float, a: float, b: float) -> Linear:
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
