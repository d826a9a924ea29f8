"""Notes on SEI NAL units that cannot be read, of which a stream may have very many."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

MOST_NOTES = 5
"""Damaged NAL units that are told of one by one; of further ones only how many."""


class DamageNotes:
    """Tells `notes` of damaged NAL units of a stream: what becomes of them is `fate`."""

    def __init__(self, notes: Callable[[str], None], path: Path, fate: str) -> None:
        self._notes = notes
        self._path = path
        self._fate = fate
        self._damaged = 0

    def add(self, nal: int, damage: str | None) -> None:
        """Tell of the NAL unit of a number if it is damaged."""
        if damage is None:
            return
        self._damaged += 1
        if self._damaged <= MOST_NOTES:
            self._notes(f"{self._path}: NAL unit {nal} is {self._fate}: {damage}")

    def finish(self) -> None:
        """Tell how many there were besides."""
        further = self._damaged - MOST_NOTES
        if further > 0:
            self._notes(
                f"{self._path}: so are {further} further damaged SEI NAL units; gfvc verify tells "
                "of each"
            )
