"""What a renderer of the `face` model is: it draws, and measures what landmarks do not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from models.contract import Picture
from models.landmarks.flow import Float32Array


class Draw(Protocol):
    """Draws pictures from one key picture."""

    def __call__(
        self, driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
    ) -> Picture:
        """The picture [S, S, 3] of landmarks [478, 2] and their coarse flow [2, S, S].

        `compact` [K] is the compact feature in quantisation steps, 0 where not sent; None stands
        for zeros.
        """


class Renderer(Protocol):
    """A `face` network with weights.

    Attributes:
        compact_features: how many values K the compact feature has.
        at_once: how many pictures are best drawn at the same time, each in a thread of its own.
    """

    at_once: int

    @property
    def compact_features(self) -> int:
        """How many values K the compact feature has."""

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Do once what a key picture [S, S, 3] with its landmarks [478, 2] needs."""

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture with its landmarks and their coarse flow.

        In quantisation steps, not rounded.
        """


RendererOf = Callable[[int], Renderer]
"""The renderer for pictures of a size; the same one for the same size."""
