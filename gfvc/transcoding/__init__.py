"""Moving face parameters between layouts and precisions without touching the base layer."""

from __future__ import annotations

from gfvc.transcoding.transcoder import TranscodeSummary, transcode
from gfvc.transcoding.translators import (
    LAYOUTS,
    IdentityTranslator,
    LinearTranslator,
    Translator,
    load_translator,
    save_translator,
    target_layout,
)

__all__ = [
    "LAYOUTS",
    "IdentityTranslator",
    "LinearTranslator",
    "TranscodeSummary",
    "Translator",
    "load_translator",
    "save_translator",
    "target_layout",
    "transcode",
]
