"""Proof that our FOMM, CFTE and FV2V compute what the reference implementations compute.

``python -m tools.parity NAME --pack DIR`` runs it.
"""

from __future__ import annotations

from tools.parity.check import check_parity, checked_families
from tools.parity.comparison import Comparison, Verdict, compare
from tools.parity.filling import filled_array, synthetic_pictures
from tools.parity.observations import Observations, recorded
from tools.parity.pack import ParityPack, ParityPackError, read_pack
from tools.parity.weights import check_specifications, filled_weights, load_weights, unallocated

__all__ = [
    "Comparison",
    "Observations",
    "ParityPack",
    "ParityPackError",
    "Verdict",
    "check_parity",
    "check_specifications",
    "checked_families",
    "compare",
    "filled_array",
    "filled_weights",
    "load_weights",
    "read_pack",
    "recorded",
    "synthetic_pictures",
    "unallocated",
]
