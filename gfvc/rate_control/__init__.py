"""How many bits a clip takes: presets of quality, and the settings that meet a bitrate.

`ladder` says how bits are split between key pictures and face parameters, `search` finds the
settings of a bitrate. See docs/rate_control.md.
"""

from __future__ import annotations

from gfvc.rate_control.ladder import (
    Coding,
    RateSettings,
    all_coded_qp,
    default_step,
    grid_multiplier,
    ladder,
    quality_settings,
    settings_asked_for,
)
from gfvc.rate_control.search import TOLERANCE, Trial, find_settings

__all__ = [
    "TOLERANCE",
    "Coding",
    "RateSettings",
    "Trial",
    "all_coded_qp",
    "default_step",
    "find_settings",
    "grid_multiplier",
    "ladder",
    "quality_settings",
    "settings_asked_for",
]
