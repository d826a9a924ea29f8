"""Moving face parameters between layouts and precisions without touching the base layer."""

from __future__ import annotations

from gfvc.parameter_rows import from_numbers, layout_of, repacked, to_numbers
from gfvc.transcoding.targets import LAYOUTS, target_layout
from gfvc.transcoding.transcoder import TranscodeSummary, transcode
from gfvc.transcoding.translators import (
    IdentityTranslator,
    LinearTranslator,
    Translator,
    load_translator,
    save_translator,
)

__all__ = [
    "LAYOUTS",
    "IdentityTranslator",
    "LinearTranslator",
    "TranscodeSummary",
    "Translator",
    "from_numbers",
    "layout_of",
    "load_translator",
    "repacked",
    "save_translator",
    "target_layout",
    "to_numbers",
    "transcode",
]
