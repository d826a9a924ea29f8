"""Which decisions are taken, each of which can be left out to see what it gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Switches:
    """Decisions to take.

    `interval` pictures a message, or None to choose the pictures by rate and distortion;
    `separate_parts` lets keypoints and matrices be left out of a message one without the other;
    `trellis` decides values by rate and distortion, otherwise they are rounded to nearest;
    `byte_filling` decides once more by whole bytes.
    """

    interval: int | None = None
    separate_parts: bool = True
    trellis: bool = True
    byte_filling: bool = True


FULL_RATE = Switches(interval=1)
"""A message for every picture."""
