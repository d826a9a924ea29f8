"""The post-filter of coded pictures: makes them more like what was coded.

A base codec at a few kilobits a second blurs lips and lids, and leaves the edges of its blocks. A
small network that has seen many faces coded so takes part of that back. It knows nothing but the
decoded picture, and by which quantisation parameter that is coded, so that it serves every picture
of every base codec, with and without faces; what it does is no part of the base codec's own
prediction. Another network of the same kind enlarges, too: pictures may be coded at half their
width and height, and it has learned what they lose by it.

`network` is the network in PyTorch, for training; `filtering` runs it. Importing this package loads
neither.
"""

from __future__ import annotations

from typing import NamedTuple

WHOLE = 1
"""The number of the filter over whole pictures, in our user data; 0 stands for none."""

FACES = 2
"""The number of the filter over face squares alone."""

ENLARGING = 3
"""The number of the filter that makes whole pictures twice as wide and high."""

KNOWN = (WHOLE, FACES, ENLARGING)
"""Numbers of what can be done."""

STEP = 8
"""Sides of pictures that the network is given are multiples of this."""


class ToldQps(NamedTuple):
    """Quantisation parameters that a filter is told: of a sequence's first picture, of the others.

    They are as the base codec had them, 0..63.
    """

    key: int
    others: int

    def of(self, *, is_key: bool) -> int:
        """That of a picture."""
        return self.key if is_key else self.others


def enlargement(number: int) -> int:
    """How many times as wide and high as they are decoded pictures are after a filter."""
    return 2 if number == ENLARGING else 1


def unstated_qps(number: int) -> ToldQps:
    """What a filter is told where the stream does not say: what the encoder took by default."""
    return ToldQps(25, 35) if number == ENLARGING else ToldQps(32, 42)
