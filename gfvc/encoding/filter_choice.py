"""Whether a sequence goes by the post-filter: where its pictures are more like the source then.

A network that has seen many people coded may still take from one what is there, such as the grain
of a picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from gfvc.base_layer import CodedSequence
from gfvc.post_filtering import UNFILTERED
from models.contract import Picture
from models.metrics.similarity import luma, ssim

LOOKS = 4
"""Coded pictures of a sequence that are looked at, at most."""


def with_filter_if_better(
    coded: CodedSequence, source_of: Callable[[int], Picture]
) -> CodedSequence:
    """A sequence without its post-filter, unless luma is nearer to the source with it.

    That is by squared error and by structural similarity: by the latter alone fine pictures would
    lose their grain. `source_of` has what was coded as a picture of a number, in output order.
    """
    if not coded.post_filter:
        return coded
    plain = replace(coded, post_filter=UNFILTERED)
    similarity = squares = 0.0
    last = len(coded.decoded) - 1
    for place in sorted({round(at) for at in np.linspace(0, last, LOOKS)}):
        source = source_of(place)
        filtered, decoded = coded.picture(place), plain.picture(place)
        similarity += ssim(source, filtered) - ssim(source, decoded)
        squares += _squares(source, decoded) - _squares(source, filtered)
    return coded if min(similarity, squares) > 0 else plain


def _squares(source: Picture, decoded: Picture) -> float:
    """Mean squared error of luma."""
    return float(np.square(luma(source) - luma(decoded)).mean())
