"""Digitally signed content: payload types 220 to 222 of VSEI version 4 (H.274).

An initialization message says how and by whom a stretch of a stream is signed, selection messages
which pictures belong to which verification substream, and a verification message in a suffix SEI
NAL unit carries a signature. Nothing here makes or checks signatures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sei.coder import UNREAD, Coder, Reader
from sei.elements import Field

SIGNED_CONTENT_INITIALIZATION = 220
SIGNED_CONTENT_SELECTION = 221
SIGNED_CONTENT_VERIFICATION = 222

MAX_SUBSTREAMS = 2**8
"""Greatest number of verification substreams that is read: each refers to all before it."""


@dataclass(frozen=True, slots=True)
class SignedContent:
    """What is wanted of an initialization message.

    ``content_id`` is what its messages have in common; with ``covers_sei`` the signatures are of
    SEI messages too, and not of coded pictures alone.
    """

    content_id: int
    covers_sei: bool
    key_source_uri: str

    @classmethod
    def from_payload(cls, payload: bytes) -> SignedContent:
        """Read the payload of an initialization message. Raises `PayloadError`."""
        return digitally_signed_content_initialization(Reader(payload), UNREAD)


def digitally_signed_content_initialization(c: Coder, given: Any) -> SignedContent:
    """Code the message of payloadType 220, for reading."""
    content_id = c.u("dsci_id", 8, given)
    c.u("dsci_hash_method_type", 8, given)
    key_retrieval_mode_idc = c.ue("dsci_key_retrieval_mode_idc", given)
    if key_retrieval_mode_idc == 1:
        use_key_register_idx_flag = c.flag("dsci_use_key_register_idx_flag", given)
        if use_key_register_idx_flag:
            c.ue("dsci_key_register_idx", given)
    content_uuid_present_flag = c.flag("dsci_content_uuid_present_flag", given)
    if content_uuid_present_flag:
        for i in range(16):
            c.u("dsci_content_uuid", 8, given, 0, None, (i,))
    num_verification_substreams_minus1 = c.ue(
        "dsci_num_verification_substreams_minus1", given, 0, MAX_SUBSTREAMS - 1
    )
    pairs = (num_verification_substreams_minus1 + 1) * num_verification_substreams_minus1 // 2
    c.array(
        (Field("dsci_ref_substream_flag", 1),),
        c.items("references between substreams", given, pairs, 1, (0,)),
        pairs,
        lambda: (
            (i, j) for i in range(1, num_verification_substreams_minus1 + 1) for j in range(i)
        ),
    )
    c.flag("dsci_vss_implicit_association_mode_flag", given)
    c.flag("dsci_signed_content_start_flag", given)
    covers_sei = c.flag("dsci_sei_signing_flag", given)
    c.align("dsci_alignment_zero_bit")
    return SignedContent(content_id, covers_sei, c.st("dsci_key_source_uri", given))


def digitally_signed_content_selection(c: Coder, given: Any) -> None:
    """Code the message of payloadType 221, for reading."""
    c.u("dscs_id", 8, given)
    c.u("dscs_verification_substream_id", 8, given)


def digitally_signed_content_verification(c: Coder, given: Any) -> None:
    """Code the message of payloadType 222, for reading, up to its signature."""
    c.u("dscv_id", 8, given)
    c.u("dscv_verification_substream_id", 8, given)
    signature_length_in_octets_minus1 = c.u("dscv_signature_length_in_octets_minus1", 24, given)
    c.byte_string("dscv_signature", given, signature_length_in_octets_minus1 + 1)
