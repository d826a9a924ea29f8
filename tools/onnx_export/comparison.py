"""Comparing what a graph computes with what torch does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row of the table.

    Attributes:
        graph: the file, or one of its outputs.
        error: largest absolute difference.
        limit: what the error may be at most.
        note: why there is nothing to compare; then error and limit are 0.
    """

    graph: str
    error: float
    limit: float
    note: str = ""

    @property
    def ok(self) -> bool:
        """Whether the graph can be used; an error that is not a number is one too many."""
        return not self.note and self.error <= self.limit


def compare(
    graph: str, expected: npt.NDArray[Any], found: npt.NDArray[Any], limit: float
) -> Comparison:
    """Compare an output with torch's; another shape is an infinite error."""
    if expected.shape != found.shape:
        return Comparison(graph, float("inf"), limit)
    difference = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    return Comparison(graph, float(difference.max(initial=0)), limit)


def table(rows: Sequence[Comparison]) -> str:
    """Rows as text: graph, largest error, limit, ok or not."""
    width = max((len(row.graph) for row in rows), default=0)
    lines = [f"{'graph':<{width}}  max error    limit  ok"]
    for row in rows:
        if row.note:
            lines.append(f"{row.graph:<{width}}  {'':>9}  {'':>7}  NO  ({row.note})")
        else:
            verdict = "ok" if row.ok else "NO"
            lines.append(f"{row.graph:<{width}}  {row.error:9.1e}  {row.limit:7.1e}  {verdict}")
    return "\n".join(lines) + "\n"
