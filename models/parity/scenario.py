"""What a pack asks for besides the three test pictures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

_VARIANT = re.compile(r"variant_(\w+)_f3\.\w+")


@dataclass(frozen=True)
class Scenario:
    """The golden arrays that a run needs as inputs; each is None or empty when the pack lacks it.

    Attributes:
        invented_symbols: residuals of a made-up third picture.
        variants: names of the published copies whose prediction of that picture the pack has.
        feature_maps: compact features for which the pack holds an optical flow (CFTE).
        canonical_keypoints: of the reference (FV2V); they tell the vector width of its processor.
    """

    invented_symbols: NDArray[Any] | None
    variants: tuple[str, ...]
    feature_maps: NDArray[Any] | None
    canonical_keypoints: NDArray[Any] | None

    @classmethod
    def from_golden(cls, golden: Mapping[str, NDArray[Any]]) -> Scenario:
        """Pick the inputs out of the golden arrays of a pack."""
        matches = (_VARIANT.fullmatch(name) for name in golden)
        return cls(
            invented_symbols=golden.get("codec.f3.symbols"),
            variants=tuple(dict.fromkeys(match[1] for match in matches if match)),
            feature_maps=golden.get("farneback.prev"),
            canonical_keypoints=golden.get("src.kp_canonical"),
        )
