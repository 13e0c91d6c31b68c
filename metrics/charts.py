"""Charts as SVG, made on the server: no script draws them. Colours are the stylesheet's (`dashboard.css`)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from metrics.series import Range, Series

WIDTH, HEIGHT = 640, 210
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 10, 24
COLOURS = 6  # classes tint-1 … tint-6; what comes behind them is taken together
Format = Callable[[float], str]


def count(value: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.3g}"


def seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.3g} ms"
    return f"{value:.3g} s" if value < 120 else f"{value / 60:.3g} min"


def octets(value: float) -> str:
    for size, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value:.0f} B"


def dollars(value: float) -> str:
    return f"${value:,.2f}" if value >= 0.01 or value == 0 else f"${value:.4f}"


def share(value: float) -> str:
    return f"{value * 100:.3g} %"


def bars(series: Sequence[Series], of: Range, show: Format = count) -> SafeString:
    """Stacked."""
    series = _few(series)
    tops = [sum(each.values[slot] or 0 for each in series) for slot in range(of.slots)]
    plot = _Plot(of, max(tops, default=0), show)
    return plot.draw(_stacks(plot, series), series)


def lines(series: Sequence[Series], of: Range, show: Format = count, area: bool = False) -> SafeString:
    series = series[:COLOURS]
    top = max((value for each in series for value in each.values if value is not None), default=0)
    plot = _Plot(of, top, show)
    shapes = (_line(plot, each, tint, area) for tint, each in enumerate(series, 1))
    return plot.draw(shapes, series)


def sparkline(series: Series) -> SafeString:
    values = [value or 0.0 for value in series.values]
    if len(values) < 2:
        return mark_safe("")
    top = max(values) or 1
    points = " ".join(f"{i * 120 / (len(values) - 1):.1f},{30 - 26 * v / top:.1f}" for i, v in enumerate(values))
    return format_html(
        '<svg class="spark" viewBox="0 0 120 32" preserveAspectRatio="none" aria-hidden="true">'
        '<polygon class="area tint-1" points="0,32 {} 120,32"/><polyline class="line tint-1" points="{}"/></svg>',
        points,
        points,
    )


def _few(series: Sequence[Series]) -> list[Series]:
    if len(series) <= COLOURS:
        return list(series)
    rest = series[COLOURS - 1 :]
    others = [sum(each.values[slot] or 0 for each in rest) for slot in range(len(rest[0].values))]
    return [*series[: COLOURS - 1], Series("others", list(others))]


class _Plot:
    """Axes, and where a value is."""

    def __init__(self, of: Range, top: float, show: Format) -> None:
        self.of = of
        self.show = show
        nice = _nice_octets if show is octets else _nice
        self.step = nice(top / 4) if top > 0 else 1.0
        self.ticks = max(1, math.ceil(top / self.step - 1e-9)) if top > 0 else 1
        self.slot_width = (WIDTH - LEFT - RIGHT) / max(1, of.slots)

    def x(self, slot: float) -> float:
        return LEFT + slot * self.slot_width

    def y(self, value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / (self.step * self.ticks)

    def draw(self, shapes: Iterator[SafeString], series: Sequence[Series]) -> SafeString:
        inside = [*self._grid(), *shapes, *self._tips(series)]
        return format_html(
            '<svg class="dash-plot" viewBox="0 0 {} {}" role="img">{}</svg>',
            WIDTH,
            HEIGHT,
            format_html_join("", "{}", ((each,) for each in inside)),
        )

    def _grid(self) -> Iterator[SafeString]:
        for tick in range(self.ticks + 1):
            y = f"{self.y(tick * self.step):.1f}"
            yield format_html('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>', LEFT, WIDTH - RIGHT, y, y)
            label = self.show(tick * self.step)
            yield format_html('<text class="tick y" x="{}" y="{}" dy="3.5">{}</text>', LEFT - 8, y, label)
        for part in range(5):
            slot = round(part * (self.of.slots - 1) / 4)
            anchor = ("start", "middle", "middle", "middle", "end")[part]
            x = f"{self.x(slot + 0.5):.1f}"
            yield format_html(
                '<text class="tick" x="{}" y="{}" text-anchor="{}">{}</text>', x, HEIGHT - 6, anchor, self._time(slot)
            )

    def _time(self, slot: int) -> str:
        return f"{self.of.time_of(slot):{'%H:%M' if self.of.seconds <= 86_400 else '%d %b'}}"

    def _tips(self, series: Sequence[Series]) -> Iterator[SafeString]:
        """What the pointer finds: the time and every value."""
        for slot in range(self.of.slots):
            said = [
                f"{each.name}: {self.show(value)}" for each in series if (value := each.values[slot]) not in (None, 0.0)
            ]
            if said:
                at = f"{self.of.time_of(slot):%d %b %H:%M} UTC"
                yield format_html(
                    '<rect class="tip" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>',
                    f"{self.x(slot):.1f}",
                    TOP,
                    f"{self.slot_width:.1f}",
                    HEIGHT - TOP - BOTTOM,
                    mark_safe("\n".join(escape(line) for line in (at, *said))),  # noqa: S308
                )


def _stacks(plot: _Plot, series: Sequence[Series]) -> Iterator[SafeString]:
    for slot in range(plot.of.slots):
        below = 0.0
        for tint, each in enumerate(series, 1):
            value = each.values[slot] or 0.0
            if value > 0:
                y, bottom = plot.y(below + value), plot.y(below)
                yield format_html(
                    '<rect class="bar tint-{}" x="{}" y="{}" width="{}" height="{}"/>',
                    tint,
                    f"{plot.x(slot + 0.1):.1f}",
                    f"{y:.1f}",
                    f"{plot.slot_width * 0.8:.1f}",
                    f"{max(bottom - y, 0.6):.1f}",
                )
                below += value


def _line(plot: _Plot, series: Series, tint: int, area: bool) -> SafeString:
    """With gaps where nothing was measured."""
    parts: list[SafeString] = []
    for run in _runs(series):
        points = " ".join(f"{plot.x(slot + 0.5):.1f},{plot.y(value):.1f}" for slot, value in run)
        if area:
            first, last, floor = plot.x(run[0][0] + 0.5), plot.x(run[-1][0] + 0.5), plot.y(0)
            corners = f"{first:.1f},{floor:.1f} {points} {last:.1f},{floor:.1f}"
            parts.append(format_html('<polygon class="area tint-{}" points="{}"/>', tint, corners))
        if len(run) == 1:
            x, _, y = points.partition(",")
            parts.append(format_html('<circle class="dot tint-{}" cx="{}" cy="{}" r="2.2"/>', tint, x, y))
        else:
            parts.append(format_html('<polyline class="line tint-{}" points="{}"/>', tint, points))
    return format_html_join("", "{}", ((part,) for part in parts))


def _runs(series: Series) -> Iterator[list[tuple[int, float]]]:
    run: list[tuple[int, float]] = []
    for slot, value in enumerate(series.values):
        if value is not None:
            run.append((slot, value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _nice(step: float) -> float:
    """1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step - 1e-12)


def _nice_octets(step: float) -> float:
    """A power of two."""
    return float(2 ** max(0, math.ceil(math.log2(step))))
