"""All Bjøntegaard rates of a benchmark.

Every curve of gfvc against every curve of a peer, and against the curve of the same model without
the options of its variant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gfvc.bench.curves import (
    RateDifference,
    RatePoint,
    envelope,
    mean_difference,
    rate_difference,
    useful_points,
    within,
)
from gfvc.metrics import MEASURES, Better, Measure

Points = Sequence[Mapping[str, Any]]
Rates = tuple[float, float]

COMPARED_MEASURES = tuple(
    measure
    for measure in MEASURES.values()
    if measure.better is not Better.ONE and not measure.of_clip
)
"""Those that have a better direction and are means over pictures."""


@dataclass(frozen=True, slots=True)
class Curves:
    """Curves of one clip: the points of each by its name.

    `best` names the curves of a peer that has several, of which one takes the best at each quality.
    """

    ours: Mapping[str, Points]
    peers: Mapping[str, Points]
    best: Mapping[str, tuple[str, ...]]

    def useful(self, name: str, measure: Measure, rates: Rates) -> list[RatePoint]:
        """A curve by a measure: its useful points within some rates."""
        if name in self.best:
            parts = [self.useful(part, measure, rates) for part in self.best[name]]
            return envelope(parts, measure)
        points = self.ours[name] if name in self.ours else self.peers[name]
        useful = useful_points(rate_points(points, measure), measure)
        return within(useful, measure, *rates)


def rate_points(points: Points, measure: Measure) -> list[RatePoint]:
    """A measure of some points over their rates."""
    return [
        RatePoint(point["kbps"], point["scores"][measure.name])
        for point in points
        if point["scores"].get(measure.name) is not None
    ]


def curves_of(points: Points) -> Curves:
    """Curves of one clip's points; those of an encoder with several have a "best" as well."""
    ours: dict[str, list[Mapping[str, Any]]] = {}
    peers: dict[str, list[Mapping[str, Any]]] = {}
    encoders: dict[str, dict[str, None]] = {}
    for point in points:
        if point["codec"] == "gfvc":
            ours.setdefault(point["curve"], []).append(point)
            continue
        peers.setdefault(point["curve"], []).append(point)
        encoders.setdefault(point["settings"]["encoder"], {})[point["curve"]] = None
    best = {f"{name} best": tuple(curves) for name, curves in encoders.items() if len(curves) > 1}
    return Curves(ours, peers, best)


def compare_clip(points: Points, rates: Rates) -> list[dict[str, Any]]:
    """Rate differences of one clip's curves, a row for each measure, anchor and test."""
    curves = curves_of(points)
    rows = []
    for measure in COMPARED_MEASURES:
        useful = {
            name: curves.useful(name, measure, rates)
            for name in (*curves.ours, *curves.peers, *curves.best)
        }
        for anchor, test in _pairs(curves.ours, (*curves.peers, *curves.best)):
            difference = rate_difference(useful[anchor], useful[test], measure)
            if difference is not None:
                pair = {"measure": measure.name, "anchor": anchor, "test": test}
                rows.append(pair | {"difference": difference})
    return rows


def _pairs(ours: Iterable[str], peers: Iterable[str]) -> list[tuple[str, str]]:
    """Names of anchor and test; a variant's curve is named after that of its model."""
    with_peers = [(peer, test) for peer in peers for test in ours]
    variants = [(model, test) for model in ours for test in ours if test.startswith(f"{model} ")]
    return with_peers + variants


def compare(
    points: Points, clips: Iterable[str], rates: Rates
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Rate differences of every clip, and their means over clips, as JSON objects.

    `rates` are the lowest and the highest in kbit/s that count.
    """
    rows = []
    by_pair: dict[tuple[str, str, str], dict[str, RateDifference]] = {}
    for clip in clips:
        of_clip = [point for point in points if point["clip"] == clip]
        for row in compare_clip(of_clip, rates):
            difference = row.pop("difference")
            rows.append({"clip": clip, **row, **difference.to_json()})
            pair = row["measure"], row["anchor"], row["test"]
            by_pair.setdefault(pair, {})[clip] = difference
    means = [
        {
            "measure": measure,
            "anchor": anchor,
            "test": test,
            **mean_difference(differences).to_json(),
        }
        for (measure, anchor, test), differences in by_pair.items()
    ]
    return rows, means
