"""Small charts as SVG text, for a page that must stand alone: lines over time, bars by group, points against a diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 12, 12, 28
_MOST_POINTS = 1000
COLOURS = ("#1f5fa8", "#b05a1a", "#4a7d3c")
Column = npt.NDArray[np.float64]


class Line(NamedTuple):
    """One line of a chart."""

    name: str
    values: Column


class _Frame(NamedTuple):
    """Where values lie on the drawing."""

    low: float
    high: float
    points: int

    def x(self, place: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * place / max(self.points - 1, 1)

    def y(self, value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (self.high - value) / (self.high - self.low)


def line_chart(lines: Sequence[Line], ends: tuple[str, str]) -> str:
    """Lines over places at even distances; `ends` are the words below the first and the last."""
    frame = _frame(np.concatenate([line.values for line in lines]), max(line.values.size for line in lines))
    drawn = [_path(frame, line.values, COLOURS[k % len(COLOURS)]) for k, line in enumerate(lines)]
    words = [_text(_LEFT, HEIGHT - 8, ends[0]), _text(WIDTH - _RIGHT, HEIGHT - 8, ends[1], "end")]
    names = [_text(_LEFT + 8, _TOP + 14 * (k + 1), line.name, fill=COLOURS[k % len(COLOURS)]) for k, line in enumerate(lines)]
    return _svg([*_axis(frame), *drawn, *words, *names])


def bar_chart(names: Sequence[str], values: Sequence[float]) -> str:
    """One bar a name, from 0."""
    frame = _frame(np.array([0.0, *values]), len(values) + 1)
    step = (WIDTH - _LEFT - _RIGHT) / max(len(values), 1)
    parts = []
    for place, (name, value) in enumerate(zip(names, values, strict=True)):
        left, top, bottom = _LEFT + step * (place + 0.15), min(frame.y(value), frame.y(0)), max(frame.y(value), frame.y(0))
        parts.append(f'<rect x="{left:.1f}" y="{top:.1f}" width="{step * 0.7:.1f}" height="{bottom - top:.1f}" fill="{COLOURS[0]}"/>')
        parts.append(_text(left + step * 0.35, HEIGHT - 8, name, "middle"))
    return _svg([*_axis(frame), *parts])


def _frame(values: Column, points: int) -> _Frame:
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    room = 0.05 * (high - low) or max(abs(high), 1e-9) * 0.05
    return _Frame(low - room, high + room, points)


def _path(frame: _Frame, values: Column, colour: str) -> str:
    """Every so-many-th point, and the last, of what is finite."""
    places = np.unique(np.append(np.arange(0, values.size, -(-values.size // _MOST_POINTS) or 1), values.size - 1))
    points = " ".join(f"{frame.x(float(place)):.1f},{frame.y(float(values[place])):.1f}" for place in places if np.isfinite(values[place]))
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.5" points="{points}"/>'


def _axis(frame: _Frame) -> list[str]:
    """Levels at the left, and a line at 0 where 0 is inside."""
    parts = [_text(_LEFT - 6, frame.y(value) + 4, f"{value:.3g}", "end") for value in np.linspace(frame.low, frame.high, 5)]
    if frame.low < 0 < frame.high:
        zero = frame.y(0)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}" stroke="#999" stroke-dasharray="3 3"/>')
    return parts


def _text(x: float, y: float, words: str, anchor: str = "start", fill: str = "#444") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="11" text-anchor="{anchor}" fill="{fill}">{escape(words)}</text>'


def _svg(parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
