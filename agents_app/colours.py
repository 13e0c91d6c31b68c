"""A colour for an agent that brings none: always the same for the same id, and far from grey."""

from __future__ import annotations

import colorsys
import hashlib

LIGHTNESS = 0.42
SATURATION = 0.55


def colour_of(agent_id: str) -> str:
    hue = hashlib.sha256(agent_id.encode()).digest()[0] / 256
    channels = colorsys.hls_to_rgb(hue, LIGHTNESS, SATURATION)
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * channel) for channel in channels))
