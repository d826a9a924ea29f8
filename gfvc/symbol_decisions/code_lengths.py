"""Lengths of the codes of predicted differences and of messages, as H.274 has them.

A test compares them with what `sei` writes.
"""

from __future__ import annotations

import numpy as np

from models.contract import IntegerArray
from sei.bits import exp_golomb_size

# payload_type_byte and payload_size_byte, one each up to 254.
_SEI_HEADER_BYTES = 2
# gfv_id 0, low confidence, coordinates present, matrices present.
_FLAGS = 4


def exp_golomb_bits(values: IntegerArray) -> IntegerArray:
    """Bits of the ue(v) codes of values of 0 and more (below 2^52)."""
    exponents = np.frexp((values + 1).astype(np.float64))[1]
    return np.asarray(2 * exponents - 1, np.int64)


def coordinate_bits(differences: IntegerArray) -> IntegerArray:
    """Bits of gfv_coordinate_d*_abs and its sign flag."""
    return np.asarray(exp_golomb_bits(np.abs(differences)) + (differences != 0), np.int64)


def matrix_bits(differences: IntegerArray, precision: int) -> IntegerArray:
    """Bits of gfv_matrix_delta_element_int, _dec and _sign_flag; precision factor 1..32."""
    size = np.abs(differences)
    fraction = size & ((1 << precision) - 1)
    bits = exp_golomb_bits(size >> precision) + exp_golomb_bits(fraction)
    return np.asarray(bits + (differences != 0), np.int64)


def header_bits(gfv_cnt: int) -> int:
    """Bits of a driven picture's message without its SEI header and its parts."""
    return _FLAGS + exp_golomb_size(gfv_cnt)


def message_bytes(payload_bits: int) -> int:
    """Bytes of an SEI message with that many payload bits: whole bytes, header included."""
    size = -(-payload_bits // 8)
    return _SEI_HEADER_BYTES + size // 255 + size
