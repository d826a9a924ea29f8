"""What a renderer of the `face` model is: it draws, and measures what landmarks do not say."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from models.contract import Float32Array, Picture


class Draw(Protocol):
    """Draws pictures from one key picture."""

    def __call__(
        self, driven: Float32Array, flow: Float32Array, compact: Float32Array | None = None
    ) -> Picture:
        """The picture [S, S, 3] of landmarks [478, 2] and their coarse flow [2, S, S].

        `compact` [K] is the compact feature in quantisation steps, 0 where not sent; None stands
        for zeros.
        """


class Between(NamedTuple):
    """Where two references are read for a picture between them, in picture widths and heights.

    Attributes:
        landmarks: [478, 2] of the picture.
        flows: displacements [2, S, S] that landmarks have the first and the second read at.
        rest: displacements [2, S, S], the rest motion from the first to the second.
        progress: how much of the rest motion is done, about 0..1.
        lead: [64, 64], how much likelier the second is right.
    """

    landmarks: Float32Array
    flows: tuple[Float32Array, Float32Array]
    rest: Float32Array
    progress: float
    lead: Float32Array


class DrawBetween(Protocol):
    """Draws pictures from two references."""

    def __call__(self, place: Between) -> Picture:
        """The picture [S, S, 3]."""


class Renderer(Protocol):
    """A `face` network with weights.

    Attributes:
        fuses: whether the network draws from two references at once.
        compact_features: how many values K the compact feature has.
        concurrent: whether several pictures are best drawn at the same time, each by one thread.
    """

    concurrent: bool

    @property
    def fuses(self) -> bool:
        """Whether the network draws from two references at once."""

    @property
    def compact_features(self) -> int:
        """How many values K the compact feature has."""

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Do once what a key picture [S, S, 3] with its landmarks [478, 2] needs."""

    def pair(self, first: Draw, second: Draw) -> DrawBetween:
        """Draw from two references that this renderer prepared, if it fuses."""

    def measure(
        self, driven: Picture, key: Picture, landmarks: Float32Array, flow: Float32Array
    ) -> Float32Array:
        """Compact feature [K] of a driven picture with its landmarks and their coarse flow.

        In quantisation steps, not rounded.
        """


OpenRenderer = Callable[[], Renderer]
"""Gives a renderer, always the same one; it is loaded and checked when it is first asked for."""
