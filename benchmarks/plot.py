# Copyright: (c) 2026, The tunefleet.linux authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plots as SVG, of the two kinds that the benchmarks need: lines over a logarithmic plane, and bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 80, 190, 48, 56
# Told apart by people who see colours differently as well (Okabe and Ito).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
STYLE = "text{font:13px sans-serif;fill:#222}.t{font-size:16px}.g{stroke:#ddd}.s{fill-opacity:.15;stroke:none}.l{fill:none;stroke-width:2}"

Point = tuple[float, float, float, float]
"""Where on the x axis, and the least, the median and the greatest of what was measured there."""


def _page(title: str, body: Sequence[str], height: int = HEIGHT) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">'
    paper = f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
    return "\n".join([head, f"<style>{STYLE}</style>", paper, _text(LEFT, 26, title, "t"), *body, "</svg>\n"])


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="g" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


class _Scale:
    """Places on a logarithmic axis that reaches from one power of ten to another, or over the values alone."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(values))))
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return self._start + share * (self._end - self._start)

    def marks(self) -> list[float]:
        return [10.0**power for power in range(self._low, self._high + 1)]


def lines(title: str, across: str, up: str, series: Mapping[str, Sequence[Point]]) -> str:
    """Medians over x, with the spread behind them; both axes logarithmic."""
    points = [point for one in series.values() for point in one]
    x = _Scale([point[0] for point in points], LEFT, WIDTH - RIGHT)
    y = _Scale([value for point in points for value in point[1:]], HEIGHT - BOTTOM, TOP)
    body = []
    for mark in y.marks():
        body += [_line(LEFT, y(mark), WIDTH - RIGHT, y(mark)), _text(LEFT - 8, y(mark) + 4, f"{mark:g}", anchor="end")]
    for mark in x.marks():
        body += [_line(x(mark), TOP, x(mark), HEIGHT - BOTTOM)]
        body += [_text(x(mark), HEIGHT - BOTTOM + 20, f"{mark:g}", anchor="middle")]
    body += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, across, anchor="middle"), _text(8, TOP - 8, up)]
    for number, (name, one) in enumerate(series.items()):
        colour = COLOURS[number % len(COLOURS)]
        middle = " ".join(f"{x(at):.1f},{y(median):.1f}" for at, _low, median, _high in one)
        edge = [(at, high) for at, _low, _median, high in one] + [(at, low) for at, low, _median, _high in one][::-1]
        spread = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in edge)
        body += [f'<polygon class="s" style="fill:{colour}" points="{spread}"/>']
        body += [f'<polyline class="l" stroke="{colour}" points="{middle}"/>']
        place = TOP + 16 + 22 * number
        body += [f'<rect x="{WIDTH - RIGHT + 14}" y="{place - 10}" width="12" height="12" fill="{colour}"/>']
        body += [_text(WIDTH - RIGHT + 32, place, name)]
    return _page(title, body)


def bars(title: str, unit: str, values: Mapping[str, tuple[float, float, float]]) -> str:
    """One bar for each median, with its number, and a line from the least to the greatest."""
    height = TOP + 34 * len(values) + 20
    left, right = 270, 90
    most = max(value[2] for value in values.values())
    body = []
    for number, (name, (low, median, high)) in enumerate(values.items()):
        top = TOP + 34 * number
        at = [left + share / most * (WIDTH - left - right) for share in (low, median, high)]
        body += [_text(left - 10, top + 16, name, anchor="end")]
        body += [f'<rect x="{left}" y="{top}" width="{at[1] - left:.1f}" height="22" fill="{COLOURS[number % 6]}"/>']
        body += [f'<line x1="{at[0]:.1f}" y1="{top + 11}" x2="{at[2]:.1f}" y2="{top + 11}" stroke="#222"/>']
        body += [_text(at[2] + 8, top + 16, f"{median:.3g} {unit}")]
    return _page(title, body, height)
