"""Weights of published networks: importing them safely, keeping them, making models of them.

What is named here needs no torch; `reading`, `tensors` and `loading` do.
"""

from __future__ import annotations

from models.weights.store import (
    FINGERPRINT_DIGITS,
    FOLDER_VARIABLE,
    WeightsCard,
    WeightsStore,
    check_name,
    weights_folder,
)

__all__ = [
    "FINGERPRINT_DIGITS",
    "FOLDER_VARIABLE",
    "WeightsCard",
    "WeightsStore",
    "check_name",
    "weights_folder",
]
