"""How many bits a clip takes: presets of quality, and the settings that meet a bitrate.

`ladder` says how bits are split between key pictures and face parameters, `search` finds the
settings of a bitrate. See docs/rate_control.md.
"""

from __future__ import annotations

from gfvc.rate_control.ladder import (
    QUALITIES,
    Quality,
    RateSettings,
    default_step,
    ladder,
    quality_settings,
)
from gfvc.rate_control.search import TOLERANCE, Trial, find_settings

__all__ = [
    "QUALITIES",
    "TOLERANCE",
    "Quality",
    "RateSettings",
    "Trial",
    "default_step",
    "find_settings",
    "ladder",
    "quality_settings",
]
