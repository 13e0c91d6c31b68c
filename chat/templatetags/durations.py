from __future__ import annotations

from datetime import timedelta

from django import template

register = template.Library()

UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@register.filter
def duration(seconds: float | timedelta | None) -> str:
    """A time span in its two largest units: 40 ms, 1.5 s, 12 s, 3 min 5 s, 2 d 4 h; nothing for None."""
    if seconds is None:
        return ""
    seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    if seconds < 10:
        return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    left = round(seconds)
    parts: list[str] = []
    for name, size in UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {name}" if count else "")
    return " ".join(part for part in parts[:2] if part)
