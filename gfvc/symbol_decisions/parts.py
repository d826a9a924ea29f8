"""Keypoints and matrices of the pictures of an access unit, as the decisions see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models.contract import FloatArray, IntegerArray

CodeLength = Callable[[IntegerArray], IntegerArray]
"""Bits of differences, element by element, for arrays of any shape."""

# The prediction flag that a message has for each part that it carries.
PREDICTION_FLAG_BITS = 1


@dataclass(frozen=True, slots=True)
class Part:
    """What a message carries as a whole or not at all: the keypoints, or all matrices.

    `targets` float64 [pictures, values] in quantisation steps, row 0 the key picture's; `base`
    int64 [values], what the base message carries; `weights` float64 [values], the distortion of
    an error of one step; `code_length` gives the bits of differences of any shape. `end` float64
    [values] is what a receiver knows without a message of the picture after the last; None where
    nothing is known, and values stay after the last message.
    """

    targets: FloatArray
    base: IntegerArray
    weights: FloatArray
    code_length: CodeLength
    end: FloatArray | None = None

    @property
    def pictures(self) -> int:
        """Number of pictures, with the key picture."""
        return len(self.targets)


@dataclass(frozen=True, slots=True)
class Distortion:
    """Distortion of the pictures after one message up to the next, as a quadratic form.

    With p and q the values of the two messages, the pictures between them and that of q have
    `pp` p² + 2 `pq` p q + `qq` q² - 2 `p` p - 2 `q` q (+ a constant), for each value.
    """

    pp: float
    pq: float
    qq: float
    p: FloatArray
    q: FloatArray

    def of(self, first: FloatArray, second: FloatArray) -> FloatArray:
        """Unweighted; arrays that broadcast, with values along the first axis."""
        p, q = _along_first(self.p, first.ndim), _along_first(self.q, first.ndim)
        result: FloatArray = first * (self.pp * first + 2 * (self.pq * second - p)) + second * (
            self.qq * second - 2 * q
        )
        return result


def _along_first(values: FloatArray, dimensions: int) -> FloatArray:
    return values.reshape(-1, *(1,) * (dimensions - 1))


def distortion_between(part: Part, start: int, end: int | None) -> Distortion:
    """That of the pictures after the message of picture `start` to that of picture `end`.

    `end` None stands for no further message: the values of `start` stay, or go to the part's end.
    """
    if end is None:
        return _tail(part, start)
    picture = np.arange(start + 1, end + 1)
    share = (picture - start) / (end - start)
    targets = part.targets[start + 1 : end + 1]
    return Distortion(
        float(((1 - share) ** 2).sum()),
        float((share * (1 - share)).sum()),
        float((share**2).sum()),
        (1 - share) @ targets,
        share @ targets,
    )


def _tail(part: Part, start: int) -> Distortion:
    """That of the pictures after the last message, of picture `start`."""
    targets = part.targets[start + 1 :]
    share = np.zeros(len(targets))
    if part.end is not None:
        share = np.arange(1, len(targets) + 1) / (len(targets) + 1)
        targets = targets - share[:, None] * part.end
    nothing = np.zeros(targets.shape[1])
    return Distortion(float(((1 - share) ** 2).sum()), 0.0, 0.0, (1 - share) @ targets, nothing)
