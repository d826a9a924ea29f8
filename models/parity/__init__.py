"""Proof that our FOMM, CFTE and FV2V compute what the reference implementations compute.

``python -m models.parity NAME --pack DIR`` runs it.
"""

from __future__ import annotations

from models.parity.check import NETWORK_NAMES, check_parity
from models.parity.comparison import Comparison, Verdict, compare
from models.parity.errors import ParityPackError
from models.parity.filling import filled_array, synthetic_pictures
from models.parity.observations import Observations, recorded
from models.parity.pack import ParityPack, read_pack
from models.parity.weights import check_specifications, filled_weights, load_weights, unallocated

__all__ = [
    "NETWORK_NAMES",
    "Comparison",
    "Observations",
    "ParityPack",
    "ParityPackError",
    "Verdict",
    "check_parity",
    "check_specifications",
    "compare",
    "filled_array",
    "filled_weights",
    "load_weights",
    "read_pack",
    "recorded",
    "synthetic_pictures",
    "unallocated",
]
