"""Score chart: scores against cumulative cost, as inline SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hl_dsl.synth.report.drawing.markup import Markup, element, escaped
from hl_dsl.synth.runs.plots import short_number

_WIDTH, _HEIGHT = 760, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 26, 20, 44


def score_chart(points: Sequence[Mapping[str, Any]], along: str, end: float, label: str, title: str) -> Markup:
    """Returns a chart with a dot for each point, rejected ones faint, and a step line of the best score so far.

    Args:
        points: Points of `score_points`.
        along: The field of a point on the x axis.
        end: End of the x axis.
        label: Label of the x axis.
        title: Title of the chart.
    """
    scale = _Scale([point["score"] for point in points], max(end, 1))
    parts = [element("title", title), *_axes(scale, label)]
    for accepted in (False, True):
        parts += [_dot(scale, point, along) for point in points if point["accepted"] is accepted]
    best = [(point[along], point["best_so_far"]) for point in points if point["best_so_far"] is not None]
    if best:
        parts += _best_line(scale, best, end)
    if not points:
        parts.append(
            element(
                "text", "no trial has a score yet", x=_WIDTH / 2, y=_HEIGHT / 2, class_="tick", text_anchor="middle"
            )
        )
    return element("svg", *parts, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", class_="chart", role="img", aria_label=title)


class _Scale:
    """Linear maps from scores and costs to pixels."""

    def __init__(self, scores: Sequence[float], end: float) -> None:
        low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
        margin = (high - low) * 0.06 or max(1.0, abs(high)) * 0.1
        self.low, self.high, self.end = low - margin, high + margin, end

    def x(self, value: float) -> float:
        """Returns the x coordinate of a cost."""
        return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * value / self.end, 1)

    def y(self, value: float) -> float:
        """Returns the y coordinate of a score."""
        return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - self.low) / (self.high - self.low), 1)


def ticks(low: float, high: float, most: int) -> list[float]:
    """Returns round numbers in a range, at most `most` of them."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [place * step for place in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _axes(scale: _Scale, label: str) -> list[Markup]:
    bottom = _HEIGHT - _BOTTOM
    parts = []
    for value in ticks(scale.low, scale.high, 6):
        y = scale.y(value)
        parts.append(element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, stroke="currentColor", class_="grid"))
        parts.append(element("text", short_number(value), x=_LEFT - 8, y=y + 4, class_="tick", text_anchor="end"))
    for value in ticks(0, scale.end, 8):
        parts.append(
            element("text", short_number(value), x=scale.x(value), y=bottom + 17, class_="tick", text_anchor="middle")
        )
    parts.append(
        element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=bottom, y2=bottom, stroke="currentColor", class_="axis")
    )
    parts.append(element("text", label, x=(_LEFT + _WIDTH) / 2, y=_HEIGHT - 6, class_="label", text_anchor="middle"))
    parts.append(element("text", "mean return", x=_LEFT - 50, y=_TOP - 7, class_="label"))
    return parts


def _dot(scale: _Scale, point: Mapping[str, Any], along: str) -> Markup:
    title = f"trial {point['trial']}: {point['score']:g} ({point['gate']}), after {point[along]:,}"
    return Markup(
        f'<circle cx="{scale.x(point[along])}" cy="{scale.y(point["score"])}" r="{3.5 if point["accepted"] else 2.5}" '
        f'class="{"accepted" if point["accepted"] else "rejected"}"><title>{escaped(title)}</title></circle>'
    )


def _best_line(scale: _Scale, best: list[tuple[float, float]], end: float) -> list[Markup]:
    corners = [best[0]]
    for (_, before), (x, score) in zip(best, best[1:]):
        if score != before:
            corners += [(x, before), (x, score)]
    corners.append((end, best[-1][1]))
    line = " ".join(f"{scale.x(x)},{scale.y(score)}" for x, score in corners)
    x, y = scale.x(end), scale.y(best[-1][1])
    return [
        element("polyline", points=line, fill="none", stroke="currentColor", class_="best"),
        element("text", f"{best[-1][1]:.5g}", x=x, y=y - 6, class_="bestlabel", text_anchor="end"),
    ]
