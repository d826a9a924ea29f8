"""How the `face` model draws: the one thing that PyTorch and onnxruntime do each in their way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from models.contract import Picture
from models.mesh.flow import Float32Array

Draw = Callable[[Float32Array, Float32Array], Picture]
"""Draws the picture of landmarks [478, 2] and their coarse flow [2, S, S]."""


class Renderer(Protocol):
    """A `face` network with weights."""

    def prepare(self, picture: Picture, landmarks: Float32Array) -> Draw:
        """Do once what a key picture [S, S, 3] with its landmarks [478, 2] needs."""
