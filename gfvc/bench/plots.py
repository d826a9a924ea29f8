"""Rate-quality plots: of each measure one for each clip, one of all clips, one of their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gfvc.figures import drawing, logarithmic
from gfvc.metrics import MEASURES, Measure
from sei import printable

_FORMATS = ("png", "svg")
# A plot of all clips has so many panels a row, and at most so many.
_ACROSS, MOST_PANELS = 3, 24

# Lost faces count 1, a hundred times what a face that is followed has.
LOGARITHMIC = ("landmark_error",)
"""Measures that are drawn on a logarithmic axis."""

Curves = dict[str, list[tuple[float, float]]]

Panel = tuple[str, Curves]
"""A title, and what is drawn below it."""


def curves_to_draw(points: Sequence[Mapping[str, Any]], measure: Measure) -> Curves:
    """(kbit/s, value) of each curve of one clip, from few bits to many."""
    curves: Curves = {}
    for point in points:
        value = point["scores"].get(measure.name)
        if value is not None:
            curves.setdefault(point["curve"], []).append((point["kbps"], value))
    return {name: sorted(curve) for name, curve in curves.items()}


def mean_curves(
    points: Sequence[Mapping[str, Any]], clips: Sequence[str], measure: Measure
) -> Curves:
    """Mean rate and mean value at equal settings, of the settings that every clip has."""
    collected: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for point in points:
        value = point["scores"].get(measure.name)
        if value is not None:
            of_settings = collected.setdefault((point["curve"], point["label"]), {})
            of_settings[point["clip"]] = (point["kbps"], value)
    curves: Curves = {}
    wanted = set(clips)
    for (curve, _), of_clips in collected.items():
        if of_clips.keys() == wanted:
            kbps, value = np.mean(list(of_clips.values()), axis=0)
            curves.setdefault(curve, []).append((float(kbps), float(value)))
    return {name: sorted(curve) for name, curve in curves.items()}


def draw_all(results: Mapping[str, Any], folder: Path) -> list[str]:
    """Draw every plot of some results into an existing folder; return the names written."""
    clips = {clip["id"]: clip["name"] for clip in results["clips"]}
    written: list[str] = []
    for measure in MEASURES.values():
        panels: list[Panel] = []
        for identifier, name in clips.items():
            of_clip = [point for point in results["points"] if point["clip"] == identifier]
            panels.append((name, curves_to_draw(of_clip, measure)))
            written += _draw(folder, f"{identifier}_{measure.name}", panels[-1:], measure)
        if len(clips) > 1:
            curves = mean_curves(results["points"], list(clips), measure)
            title = f"mean of {len(clips)} clips at equal settings"
            written += _draw(folder, f"mean_{measure.name}", [(title, curves)], measure)
            written += _draw(folder, f"clips_{measure.name}", panels, measure)
    return written


def _draw(folder: Path, stem: str, panels: Sequence[Panel], measure: Measure) -> list[str]:
    """Draw the panels that have curves, the first of many; return the names of the files."""
    drawn = [(title, curves) for title, curves in panels if curves][:MOST_PANELS]
    if not drawn:
        return []
    columns = min(_ACROSS, len(drawn))
    rows = -(-len(drawn) // columns)
    size = (7, 4.5) if len(drawn) == 1 else (4.5 * columns, 3.2 * rows)
    with drawing() as pyplot:
        figure, places = pyplot.subplots(
            rows, columns, figsize=size, layout="constrained", squeeze=False
        )
        lines: dict[str, Any] = {}
        for axes, (title, curves) in zip(places.flat, drawn, strict=False):
            lines.update(_draw_panel(axes, title, curves, measure, lines))
        for axes in places.flat[len(drawn) :]:
            axes.set_axis_off()
        if len(drawn) == 1:
            places[0, 0].legend(lines.values(), lines, fontsize="small")
        else:
            figure.legend(
                lines.values(), lines, fontsize="small", ncols=4, loc="outside lower center"
            )
        names = [f"{stem}.{form}" for form in _FORMATS]
        for name, form in zip(names, _FORMATS, strict=True):
            date: dict[str, Any] = {"Date": None} if form == "svg" else {}
            figure.savefig(folder / name, format=form, dpi=110, metadata=date)
        pyplot.close(figure)
    return names


def _draw_panel(
    axes: Any, title: str, curves: Curves, measure: Measure, before: Mapping[str, Any]
) -> dict[str, Any]:
    """Draw curves, and return their lines by name; those of `before` have colours already."""
    lines: dict[str, Any] = {}
    for name, curve in curves.items():
        label = printable(name)
        ours = name.startswith("gfvc")
        colour = before[label].get_color() if label in before else f"C{len(before) + len(lines)}"
        (lines[label],) = axes.plot(
            *zip(*curve, strict=True),
            color=colour,
            marker="o" if ours else ".",
            linestyle="-" if ours else "--",
            linewidth=1.8 if ours else 1.2,
        )
    logarithmic(axes.xaxis)
    if measure.name in LOGARITHMIC and all(v > 0 for c in curves.values() for _, v in c):
        logarithmic(axes.yaxis)
    axes.set_xlabel("kbit/s")
    unit = f", {measure.unit}" if measure.unit else ""
    axes.set_ylabel(f"{measure.title}{unit} ({direction(measure)})")
    axes.set_title(printable(title))
    axes.grid(alpha=0.3)
    return lines


def direction(measure: Measure) -> str:
    """Which way is better, in words."""
    return "1 is best" if measure.better.value == "one" else f"{measure.better.value} is better"
