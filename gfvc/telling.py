"""What jobs tell their callers meanwhile: sentences for people, and how far they are."""

from __future__ import annotations

from collections.abc import Callable

Notes = Callable[[str], None]
"""Told what a user should know."""

Progress = Callable[[int, "int | None"], None]
"""Told the number of pictures done, and the expected total or None."""

Stage = Callable[[str], None]
"""Told about each pass over a clip."""


def unheard(*told: object) -> None:
    """For callers that want to hear nothing."""
