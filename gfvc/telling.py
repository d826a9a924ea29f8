"""What jobs tell their callers meanwhile: sentences for people, how far they are, messages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Notes = Callable[[str], None]
"""Told what a user should know."""

Progress = Callable[[int, "int | None"], None]
"""Told the number of pictures done, and the expected total or None."""

Stage = Callable[[str], None]
"""Told about each pass over a clip."""

Messages = Callable[[Any], None]
"""Told what functions tell that run in other processes; called by a thread of its own."""


def unheard(*told: object) -> None:
    """For callers that want to hear nothing."""
