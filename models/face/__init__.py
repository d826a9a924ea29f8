"""The `face` model: landmarks move a key picture, a small network paints what they cannot.

Nothing here loads PyTorch, onnxruntime or NumPy: command lines and lists must not wait for them.
"""

from __future__ import annotations

DRAWN_SIDE = 256
"""Networks draw squares of so many pixels a side, as they learned to.

Smaller key pictures are enlarged and larger ones reduced to it, and so is what is drawn, back.
"""

SIDE_MULTIPLE = 32
"""Sides of pictures that networks can have are multiples of this."""

MAX_FEATURES = 4
"""Values of the compact feature that the network of `face-1` measures beside the landmarks."""

MOTION_SIDE = 64
"""Rows and columns of the motion network of a network that fuses two references, at any size."""


def lead_step(size: int) -> int:
    """Pixels of a sample of the lead: a network that fuses sees it at `MOTION_SIDE`, or nearly."""
    return max(1, size // MOTION_SIDE)
