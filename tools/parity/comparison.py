"""Comparing our arrays with a pack's, each under its tolerance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.parity.observations import Observations


class Verdict(Enum):
    """What became of one golden array."""

    OK = "ok"
    FAILED = "FAILED"
    NOT_COMPARED = "NOT COMPARED"
    NOT_A_TARGET = "not a target"
    ABSENT = "absent"

    @property
    def is_failure(self) -> bool:
        """Whether the check as a whole fails by it."""
        return self in (Verdict.FAILED, Verdict.NOT_COMPARED)


@dataclass(frozen=True)
class Comparison:
    """Outcome for one golden array.

    Attributes:
        name: of the array in the pack.
        verdict: what became of it.
        error: largest absolute difference, None when nothing was compared.
        limit: what ``error`` may be at most.
        note: why it was not compared, or what else is wrong or worth saying.
    """

    name: str
    verdict: Verdict
    error: float | None = None
    limit: float | None = None
    note: str = ""


_NOT_TARGETS = [
    (re.compile(pattern), reason)
    for pattern, reason in [
        (r"codec\.f\d+\.bytes|codec\.meta_(list|bytes)", "entropy code of the research software"),
        (r"codec\.rounding_margin|.*\.zero_flow_max_diff", "report on the reference run"),
        (r"codec\.f3\.symbols|farneback\.(prev|next)", "input"),
    ]
]

# The flow of 4×4 maps is taken as zero; the reference's largest in 20 000 pairs was 0.0019.
_ZERO_FLOW = re.compile(r"(mid|f3)\.sparse_motion|farneback\.flow")
_ZERO_FLOW_LIMIT = 2e-3

_ANALYSIS = re.compile(r".*\.(kp|jacobian|rot|t|exp)")
_ANALYSIS_LIMIT = 1e-5
_LIMIT = 1e-4
_PICTURE_LIMIT = 1
_PICTURE_SHARE = 1e-3
_EXACT = re.compile(r"images_u8|codec\..*\.symbols")


def _limit(name: str, golden: NDArray[Any], zero_flow: bool) -> float:
    if _EXACT.fullmatch(name):
        return 0.0
    if name.endswith(".u8"):
        return _PICTURE_LIMIT
    if zero_flow and _ZERO_FLOW.fullmatch(name):
        return _ZERO_FLOW_LIMIT
    if _ANALYSIS.fullmatch(name):
        return _ANALYSIS_LIMIT
    return _LIMIT * max(1.0, float(np.abs(golden).max(initial=0)))


def _compare_one(
    name: str, golden: NDArray[Any], ours: NDArray[Any] | None, zero_flow: bool
) -> Comparison:
    for pattern, reason in _NOT_TARGETS:
        if pattern.fullmatch(name):
            return Comparison(name, Verdict.NOT_A_TARGET, note=reason)
    if ours is None:
        return Comparison(name, Verdict.NOT_COMPARED, note="unknown array")
    if ours.shape != golden.shape:
        note = f"shape {ours.shape}, golden {golden.shape}"
        return Comparison(name, Verdict.FAILED, note=note)
    limit = _limit(name, golden, zero_flow)
    difference = np.abs(ours.astype(np.float64) - golden.astype(np.float64))
    error = float(difference.max(initial=0))
    # Written so that a NaN fails.
    within = error <= limit
    note = ""
    if name.endswith(".u8") and error > 0:
        share = np.count_nonzero(difference) / difference.size
        within = within and share <= _PICTURE_SHARE
        note = f"{share:.4%} of samples differ, at most {_PICTURE_SHARE:.1%}"
    return Comparison(name, Verdict.OK if within else Verdict.FAILED, error, limit, note)


def compare(
    golden: Mapping[str, NDArray[Any]],
    ours: Observations,
    *,
    listed: Iterable[str] = (),
) -> list[Comparison]:
    """Compare every golden array; none is passed over in silence.

    Limits: 1e-4 · max(1, max|golden|), and 1e-5 for the small analysis outputs (``*.kp``,
    ``*.jacobian``, ``*.rot``, ``*.t``, ``*.exp``); pictures of 8 bits may differ by 1 in 0.1 % of
    their samples; symbols and test pictures are exact.

    Args:
        golden: arrays of a pack.
        ours: arrays of our run.
        listed: names that the pack should have; those it lacks are reported as absent.
    """
    results = [
        _compare_one(name, array, ours.find(name), ours.zero_flow) for name, array in golden.items()
    ]
    absent = [name for name in listed if name not in golden]
    return results + [
        Comparison(name, Verdict.ABSENT, note="listed, but not in the pack") for name in absent
    ]
