"""The rate-quality plots of a run: of each clip, and of the mean over clips."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from gfvc.bench.plots import LOGARITHMIC, direction, mean_curves
from gfvc.bench.records import MeasuredClip, Point
from gfvc.metrics import Measure
from gfvc.report.bench_run import BenchRun
from gfvc.report.charts import Dot, Series, fitted_axis, rate_quality_chart

Curves = Mapping[str, Sequence[Dot]]


def clip_charts(run: BenchRun, clip: MeasuredClip, series: Series) -> list[Markup]:
    """One plot for each measure that the clip's points have; `series` gives the colours."""
    charts = []
    points = run.points_of(clip)
    for measure in run.measures:
        curves: dict[str, list[Dot]] = {}
        for point in points:
            value = point.scores.get(measure.name)
            if value is not None:
                curves.setdefault(point.curve, []).append(Dot(point.kbps, value, point.label))
        charts += _chart(f"{clip.name}, {measure.title}", curves, measure, series)
    return charts


def mean_charts(run: BenchRun, series: Series) -> list[Markup]:
    """The same of mean rate and mean value at equal settings, for a run of several clips."""
    if len(run.clips) < 2:
        return []
    points = [_as_bench_point(point) for point in run.points]
    clips = [clip.identifier for clip in run.clips]
    charts = []
    for measure in run.measures:
        curves = {
            name: [Dot(kbps, value, "mean") for kbps, value in curve]
            for name, curve in mean_curves(points, clips, measure).items()
        }
        charts += _chart(f"mean of clips, {measure.title}", curves, measure, series)
    return charts


def _as_bench_point(point: Point) -> Mapping[str, object]:
    return {
        "clip": point.clip,
        "curve": point.curve,
        "label": point.label,
        "kbps": point.kbps,
        "scores": point.scores,
    }


def _chart(title: str, curves: Curves, measure: Measure, series: Series) -> list[Markup]:
    """A plot, or none of no curves."""
    dots = [dot for curve in curves.values() for dot in curve]
    if not dots:
        return []
    unit = f", {measure.unit}" if measure.unit else ""
    x = fitted_axis("kbit/s", [dot.x for dot in dots], logarithmic=True)
    y = fitted_axis(
        f"{measure.title}{unit} ({direction(measure)})",
        [dot.y for dot in dots],
        logarithmic=measure.name in LOGARITHMIC,
    )
    ordered = {name: sorted(curve, key=lambda dot: dot.x) for name, curve in curves.items()}
    return [rate_quality_chart(title, ordered, series, x, y)]
