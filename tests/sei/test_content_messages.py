"""Text descriptions, restrictions on use, and signed content: bytes, elements, names by codec."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sei import Codec, Element, ElementRangeError, MessageError, PayloadError
from sei.coder import UNREAD, Reader
from sei.content_messages import (
    AI_MARKING,
    MAX_RESTRICTION,
    Restriction,
    TextDescription,
    UsageRestrictions,
)
from sei.payload_kinds import decode_payload, is_known_by_name_only, payload_kind
from sei.signed_content import SignedContent, digitally_signed_content_initialization

words = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40)
restrictions = st.builds(Restriction, st.integers(0, MAX_RESTRICTION)) | st.builds(
    Restriction, st.integers(0, MAX_RESTRICTION), st.integers(0, 0xFFFF), st.booleans()
)


@given(
    st.builds(
        TextDescription,
        purpose=st.integers(0, 255),
        description_id=st.integers(0, 2**13 - 1),
        texts=st.lists(st.tuples(words, words), min_size=1, max_size=5).map(tuple),
        persists=st.booleans(),
    )
)
def test_text_descriptions_come_back(description: TextDescription) -> None:
    assert TextDescription.from_payload(description.to_payload()) == description


@given(st.lists(restrictions, max_size=9).map(tuple))
def test_restrictions_come_back(found: tuple[Restriction, ...]) -> None:
    message = UsageRestrictions(found)
    assert UsageRestrictions.from_payload(message.to_payload()) == message


def test_the_bytes_of_a_text_description() -> None:
    description = TextDescription(AI_MARKING, 5, (("en", "drawn"), ("de", "gemalt")))
    payload = bytes.fromhex("02 0015 01") + b"en\0drawn\0de\0gemalt\0"
    assert description.to_payload() == payload
    assert decode_payload(219, payload, Codec.HEVC) == {
        "txt_descr_purpose": 2,
        "txt_cancel_flag": 0,
        "txt_descr_id": 5,
        "txt_id_cancel_flag": 0,
        "txt_persistence_flag": 1,
        "txt_num_strings_minus1": 1,
        "txt_descr_string_lang[0]": "en",
        "txt_descr_string[0]": "drawn",
        "txt_descr_string_lang[1]": "de",
        "txt_descr_string[1]": "gemalt",
    }


def test_the_bytes_of_restrictions() -> None:
    message = UsageRestrictions((Restriction(2), Restriction(0, 0x1234, excluded=True)))
    # 0, 1, ue 1; ue 2, 0; ue 0, 1, 16 bits, 1; then a 1 and zero bits.
    bits = "0 1 010  011 0  1 1 0001001000110100 1".replace(" ", "") + "1"
    bits += "0" * (-len(bits) % 8)
    payload = int(bits, 2).to_bytes(len(bits) // 8, "big")
    assert message.to_payload() == payload
    assert decode_payload(225, payload, Codec.VVC) == {
        "aur_cancel_flag": 0,
        "aur_persistence_flag": 1,
        "aur_num_restrictions_minus1": 1,
        "aur_restriction[0]": 2,
        "aur_context_present_flag[0]": 0,
        "aur_restriction[1]": 0,
        "aur_context_present_flag[1]": 1,
        "aur_context[1]": 0x1234,
        "aur_exclusion_flag[1]": 1,
    }


def test_messages_that_end_others() -> None:
    for description in (
        TextDescription(2, cancels_all=True),
        TextDescription(2, 7, cancels=True),
    ):
        assert TextDescription.from_payload(description.to_payload()) == description
    assert UsageRestrictions().to_payload() == b"\xc0"


@pytest.mark.parametrize(
    ("payload_type", "payload", "message"),
    [
        (219, "02 0000", "txt_num_strings_minus1: 8 bits wanted"),
        (219, "02 0001 ff 656e00", "cannot fit into the 24 bits left"),
        (219, "02 0001 00 656e00 ff00", r"txt_descr_string\[0\]: no UTF-8 text"),
        (219, "02 0001 00 656e00 4161", r"txt_descr_string\[0\]: "),
        (225, "40", "aur_num_restrictions_minus1"),
        (225, "67 80", r"aur_restriction\[0\] is 6"),
        (220, "01 00 a8 68", "dsci_key_source_uri: "),
        (222, "01 00 0000ff aabb", "dscv_signature: "),
    ],
)
def test_damaged_messages_say_where(payload_type: int, payload: str, message: str) -> None:
    with pytest.raises(PayloadError, match=message):
        decode_payload(payload_type, bytes.fromhex(payload), Codec.VVC)


def test_what_cannot_be_coded() -> None:
    with pytest.raises(ElementRangeError, match="txt_descr_id is 8192"):
        TextDescription(2, 8192, (("en", "x"),)).to_payload()
    with pytest.raises(ElementRangeError, match=r"aur_restriction\[0\] is 6"):
        UsageRestrictions((Restriction(6),)).to_payload()
    with pytest.raises(MessageError, match="must not contain a zero character"):
        TextDescription(2, 0, (("en", "a\0b"),)).to_payload()


def test_signed_content_as_another_program_writes_it() -> None:
    """Payloads of 220 to 222 as GStreamer's tests have them."""
    initialization = bytes.fromhex("01 00 a8") + b"https://key.com\0"
    assert SignedContent.from_payload(initialization) == SignedContent(
        1, covers_sei=False, key_source_uri="https://key.com"
    )
    decoded = decode_payload(220, initialization, Codec.VVC)
    assert decoded is not None
    assert decoded["dsci_signed_content_start_flag"] == 1
    assert decode_payload(221, bytes.fromhex("01 00"), Codec.HEVC) == {
        "dscs_id": 1,
        "dscs_verification_substream_id": 0,
    }
    signature = bytes(range(32))
    verification = bytes.fromhex("01 00 00001f") + signature + b"\xc0"
    assert decode_payload(222, verification, Codec.HEVC) == {
        "dscv_id": 1,
        "dscv_verification_substream_id": 0,
        "dscv_signature_length_in_octets_minus1": 31,
        "dscv_signature": signature.hex(),
    }


def test_references_between_signed_substreams_are_read_row_by_row() -> None:
    """Of 10 substreams each refers to all before it, but the third to none, then a key's name."""
    pairs = [(i, j) for i in range(1, 10) for j in range(i)]
    flags = "".join("0" if i == 2 else "1" for i, _ in pairs)
    bits = f"{7:08b}{0:08b}" + "1" + "0" + "0001010" + flags + "001"
    bits += "0" * (-len(bits) % 8) + f"{ord('k'):08b}{0:08b}"
    payload = int(bits, 2).to_bytes(len(bits) // 8)
    assert SignedContent.from_payload(payload) == SignedContent(7, True, "k")
    elements: list[Element] = []
    digitally_signed_content_initialization(Reader(payload, elements), UNREAD)
    read = [one[1:3] for one in elements if one.base_name == "dsci_ref_substream_flag"]
    assert read == [((i, j), int(i != 2)) for i, j in pairs]
    cut = payload[:5]
    with pytest.raises(PayloadError, match="references between substreams: 45 of them cannot fit"):
        SignedContent.from_payload(cut)


@pytest.mark.parametrize(
    ("payload_type", "vvc", "hevc", "avc"),
    [
        (151, "unknown", "cubemap_projection", "cubemap_projection"),
        (152, "unknown", "fisheye_video_info", "unknown"),
        (153, "generalized_cubemap_projection", "unknown", "unknown"),
        (157, "unknown", "regional_nesting", "unknown"),
        (203, "subpic_level_info", "shutter_interval_info", "unknown"),
        *(
            (number, name, name, name)
            for number, name in [
                (179, "multiview_acquisition_info"),
                (205, "shutter_interval_info"),
                (209, "vdi_sei_envelope"),
                (212, "phase_indication"),
                (213, "sei_processing_order"),
                (214, "sei_processing_order_nesting"),
                (215, "encoder_optimization_info"),
                (216, "source_picture_timing_info"),
                (217, "object_mask_info"),
                (218, "modality_info"),
                (219, "text_description"),
                (220, "digitally_signed_content_initialization"),
                (221, "digitally_signed_content_selection"),
                (222, "digitally_signed_content_verification"),
                (223, "generative_face_video"),
                (224, "generative_face_video_enhancement"),
                (225, "ai_usage_restrictions"),
                (226, "packed_regions_info"),
                (227, "image_format_metadata"),
                (228, "unknown"),
            ]
        ),
    ],
)
def test_names_by_codec(payload_type: int, vvc: str, hevc: str, avc: str) -> None:
    codecs = (Codec.VVC, Codec.HEVC, Codec.AVC)
    assert tuple(payload_kind(payload_type, codec).name for codec in codecs) == (vvc, hevc, avc)


def test_what_is_known_by_name_only() -> None:
    assert is_known_by_name_only(216, Codec.VVC)
    assert not is_known_by_name_only(219, Codec.VVC)
    assert not is_known_by_name_only(223, Codec.VVC)
    assert not is_known_by_name_only(228, Codec.VVC)
