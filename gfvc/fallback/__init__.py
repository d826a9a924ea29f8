"""Pictures that generation serves badly, sent as ordinary video of the base codec instead.

`stretches` decides where such a stretch starts and ends, `coding` codes its pictures.
See docs/fallback.md.
"""

from __future__ import annotations

from typing import Literal, get_args

FallbackPolicy = Literal["auto", "never", "always"]
FALLBACK_POLICIES: tuple[FallbackPolicy, ...] = get_args(FallbackPolicy)

__all__ = ["FALLBACK_POLICIES", "FallbackPolicy"]
