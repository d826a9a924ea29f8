"""All Bjøntegaard rates of a benchmark.

Every curve of gfvc against every curve of a peer, and against the curve of the same model without
the options of its variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gfvc.bench.curves import RateDifference, RatePoint, mean_difference, rate_difference
from gfvc.metrics import MEASURES, Better, Measure

Points = Sequence[Mapping[str, Any]]

COMPARED_MEASURES = tuple(
    measure
    for measure in MEASURES.values()
    if measure.better is not Better.ONE and not measure.of_clip
)
"""Those that have a better direction and are means over pictures."""


def rate_points(points: Points, measure: Measure, below_kbps: float | None) -> list[RatePoint]:
    """A measure of some points over their rates, without those of too many bits."""
    return [
        RatePoint(point["kbps"], point["scores"][measure.name])
        for point in points
        if point["scores"].get(measure.name) is not None
        and (below_kbps is None or point["kbps"] <= below_kbps)
    ]


def curves_of(points: Points) -> tuple[dict[str, Points], dict[str, Points]]:
    """Points of one clip by curve: those of gfvc, and those of peers.

    An encoder with several picture sizes has one more curve, "best", of the points of all.
    """
    ours: dict[str, list[Mapping[str, Any]]] = {}
    peers: dict[str, list[Mapping[str, Any]]] = {}
    sizes: dict[str, set[int]] = {}
    for point in points:
        if point["codec"] == "gfvc":
            ours.setdefault(point["curve"], []).append(point)
            continue
        encoder = point["settings"]["encoder"]
        sizes.setdefault(encoder, set()).add(point["settings"]["reduction"])
        peers.setdefault(point["curve"], []).append(point)
    for encoder, reductions in sizes.items():
        if len(reductions) > 1:
            peers[f"{encoder} best"] = [
                point for point in points if point["settings"].get("encoder") == encoder
            ]
    return dict(ours), dict(peers)


def compare_clip(points: Points, below_kbps: float | None) -> list[dict[str, Any]]:
    """Rate differences of one clip's curves, a row for each measure, anchor and test."""
    ours, peers = curves_of(points)
    curves = {**ours, **peers}
    rows = []
    for measure in COMPARED_MEASURES:
        for anchor, test in _pairs(ours, peers):
            difference = rate_difference(
                rate_points(curves[anchor], measure, below_kbps),
                rate_points(curves[test], measure, below_kbps),
                measure,
            )
            if difference is not None:
                rows.append(_row(measure, anchor, test, difference))
    return rows


def _pairs(ours: Iterable[str], peers: Iterable[str]) -> list[tuple[str, str]]:
    """Names of anchor and test; a variant's curve is named after that of its model."""
    with_peers = [(peer, test) for peer in peers for test in ours]
    variants = [(model, test) for model in ours for test in ours if test.startswith(f"{model} ")]
    return with_peers + variants


def _row(measure: Measure, anchor: str, test: str, difference: RateDifference) -> dict[str, Any]:
    return {"measure": measure.name, "anchor": anchor, "test": test, "difference": difference}


def compare(
    points: Points, clips: Iterable[str], below_kbps: float | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rate differences of every clip, and their means over clips, as JSON objects."""
    rows = []
    by_pair: dict[tuple[str, str, str], list[RateDifference | None]] = {}
    for clip in clips:
        of_clip = [point for point in points if point["clip"] == clip]
        for row in compare_clip(of_clip, below_kbps):
            difference = row.pop("difference")
            rows.append({"clip": clip, **row, **difference.to_json()})
            pair = row["measure"], row["anchor"], row["test"]
            by_pair.setdefault(pair, []).append(difference)
    means = []
    for (measure, anchor, test), differences in by_pair.items():
        mean = mean_difference(differences)
        means.append(
            {
                "measure": measure,
                "anchor": anchor,
                "test": test,
                "percent": mean.percent,
                "clips": mean.clips,
                "left_out": mean.left_out,
            }
        )
    return rows, means
