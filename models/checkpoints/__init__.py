"""Published weights: importing them safely, keeping them, and making models of them.

What is named here needs no torch; `models.checkpoints.importing` and `.loading` do.
"""

from __future__ import annotations

from models.checkpoints.architectures import ARCHITECTURES, Architecture, import_hint
from models.checkpoints.store import (
    FOLDER_VARIABLE,
    WeightsCard,
    WeightsStore,
    check_name,
    weights_folder,
)

__all__ = [
    "ARCHITECTURES",
    "FOLDER_VARIABLE",
    "Architecture",
    "WeightsCard",
    "WeightsStore",
    "check_name",
    "import_hint",
    "weights_folder",
]
