"""Registry of SEI payload types, and the simple ones of them decoded.

Numbers and names: H.274 clause 7 (VSEI version 4), H.266 annex D, H.265 annexes D, F and G, H.264
annex D, which share most of one numbering. GFV and GFVE have their state and are read by
`sei.state`; the others stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sei.coder import UNREAD, Coder, Reader
from sei.content_messages import (
    AI_USAGE_RESTRICTIONS,
    TEXT_DESCRIPTION,
    ai_usage_restrictions,
    text_description,
)
from sei.elements import Trace
from sei.errors import PayloadError
from sei.nal import Codec
from sei.rbsp import FACE_PAYLOADS
from sei.signed_content import (
    SIGNED_CONTENT_INITIALIZATION,
    SIGNED_CONTENT_SELECTION,
    SIGNED_CONTENT_VERIFICATION,
    digitally_signed_content_initialization,
    digitally_signed_content_selection,
    digitally_signed_content_verification,
)


@dataclass(frozen=True, slots=True)
class PayloadKind:
    """What is known of a payload type.

    ``in_prefix`` and ``in_suffix``: whether it may stand in a prefix, and in a suffix, SEI NAL
    unit. ``read`` reads its leading elements, None where they are not decoded.
    """

    name: str
    in_prefix: bool = True
    in_suffix: bool = False
    read: Callable[[Reader, Codec], None] | None = None


def payload_kind(payload_type: int, codec: Codec) -> PayloadKind:
    """The registry's row for a payload type, also for one that is not in it."""
    return _OF_CODEC[codec].get(payload_type) or _KINDS.get(payload_type) or _UNKNOWN


def is_known_by_name_only(payload_type: int, codec: Codec) -> bool:
    """Whether a payload type has a name here, and its elements are not read."""
    kind = payload_kind(payload_type, codec)
    return kind is not _UNKNOWN and kind.read is None and payload_type not in FACE_PAYLOADS


def decode_elements(payload_type: int, payload: bytes, codec: Codec) -> Trace | None:
    """Leading elements of a payload that stands alone; None where it is not decoded.

    Raises:
        PayloadError: the payload is too short.
    """
    read = payload_kind(payload_type, codec).read
    if read is None:
        return None
    trace = Trace()
    read(Reader(payload, trace), codec)
    return trace


def decode_payload(payload_type: int, payload: bytes, codec: Codec) -> dict[str, Any] | None:
    """The same as values by name, bytes as hex.

    >>> decode_payload(144, bytes.fromhex("03e8 0190"), Codec.HEVC)
    {'max_content_light_level': 1000, 'max_pic_average_light_level': 400}
    """
    elements = decode_elements(payload_type, payload, codec)
    return None if elements is None else {e.name: e.json_value for e in elements}


def _alone(syntax: Callable[[Coder, Any], Any]) -> Callable[[Reader, Codec], None]:
    """Reading by a syntax function, which is the same in all codecs."""

    def read(c: Reader, codec: Codec) -> None:
        syntax(c, UNREAD)

    return read


def _user_data_registered(c: Reader, codec: Codec) -> None:
    if c.u("itu_t_t35_country_code", 8, UNREAD) == 0xFF:
        c.u("itu_t_t35_country_code_extension_byte", 8, UNREAD)
    c.byte_string("itu_t_t35_payload_byte", UNREAD)


_USER_DATA: dict[bytes, Callable[[Coder, Any], Any]] = {}


def register_user_data(uuid: bytes, syntax: Callable[[Coder, Any], Any]) -> None:
    """Have user data with these 16 bytes of uuid_iso_iec_11578 decoded by a syntax function.

    It may raise `ValueError` for elements that do not go together.
    """
    _USER_DATA[uuid] = syntax


def _user_data_unregistered(c: Reader, codec: Codec) -> None:
    uuid = c.byte_string("uuid_iso_iec_11578", UNREAD, 16)
    if uuid in _USER_DATA:
        try:
            _USER_DATA[uuid](c, UNREAD)
        except PayloadError:
            raise
        except ValueError as error:  # elements that do not go together
            raise PayloadError(str(error), c.position) from error
    else:
        c.byte_string("user_data_payload_byte", UNREAD)


def _decoded_picture_hash(c: Reader, codec: Codec) -> None:
    """H.265 clause D.2.19; H.274 puts a flag for one component and 7 reserved bits before."""
    hash_type = c.u("dph_sei_hash_type" if codec is Codec.VVC else "hash_type", 8, UNREAD, 0, 2)
    if codec is Codec.VVC:
        c.flag("dph_sei_single_component_flag", UNREAD)
        c.u("dph_sei_reserved_zero_7bits", 7, UNREAD)
    name = ("picture_md5", "picture_crc", "picture_checksum")[hash_type]
    size = (16, 2, 4)[hash_type]
    component = 0
    while c.remaining >= 8 * size and component < 3:
        c.byte_string(f"{name}[{component}]", UNREAD, size)
        component += 1


def _mastering_display_colour_volume(c: Reader, codec: Codec) -> None:
    for i in range(3):
        c.u("display_primaries_x", 16, UNREAD, 0, None, (i,))
        c.u("display_primaries_y", 16, UNREAD, 0, None, (i,))
    c.u("white_point_x", 16, UNREAD)
    c.u("white_point_y", 16, UNREAD)
    c.u("max_display_mastering_luminance", 32, UNREAD)
    c.u("min_display_mastering_luminance", 32, UNREAD)


def _content_light_level_info(c: Reader, codec: Codec) -> None:
    c.u("max_content_light_level", 16, UNREAD)
    c.u("max_pic_average_light_level", 16, UNREAD)


def _nn_post_filter_characteristics(c: Reader, codec: Codec) -> None:
    c.u("nnpfc_purpose", 16, UNREAD)
    c.ue("nnpfc_id", UNREAD)
    c.flag("nnpfc_base_flag", UNREAD)
    if c.ue("nnpfc_mode_idc", UNREAD) == 1:
        c.align("nnpfc_alignment_zero_bit_a")
        c.st("nnpfc_tag_uri", UNREAD)
        c.st("nnpfc_uri", UNREAD)


def _nn_post_filter_activation(c: Reader, codec: Codec) -> None:
    c.ue("nnpfa_target_id", UNREAD)
    c.flag("nnpfa_cancel_flag", UNREAD)


def _phase_indication(c: Reader, codec: Codec) -> None:
    c.u("pi_hor_phase_num", 8, UNREAD)
    c.u("pi_hor_phase_den_minus1", 8, UNREAD)
    c.u("pi_ver_phase_num", 8, UNREAD)
    c.u("pi_ver_phase_den_minus1", 8, UNREAD)


_UNKNOWN = PayloadKind("unknown", in_suffix=True)

_PREFIX_ONLY = {
    0: "buffering_period",
    1: "pic_timing",
    2: "pan_scan_rect",
    6: "recovery_point",
    9: "scene_info",
    15: "picture_snapshot",
    16: "progressive_refinement_segment_start",
    19: "film_grain_characteristics",
    23: "tone_mapping_info",
    45: "frame_packing_arrangement",
    47: "display_orientation",
    56: "green_metadata",
    128: "structure_of_pictures_info",
    129: "active_parameter_sets",
    130: "decoding_unit_info",
    131: "temporal_sub_layer_zero_idx",
    134: "region_refresh_info",
    135: "no_display",
    136: "time_code",
    138: "segmented_rect_frame_packing_arrangement",
    139: "temporal_motion_constrained_tile_sets",
    140: "chroma_resampling_filter_hint",
    141: "knee_function_info",
    142: "colour_remapping_info",
    143: "deinterlaced_field_identification",
    145: "dependent_rap_indication",
    147: "alternative_transfer_characteristics",
    148: "ambient_viewing_environment",
    149: "content_colour_volume",
    150: "equirectangular_projection",
    154: "sphere_rotation",
    155: "regionwise_packing",
    156: "omni_viewport",
    165: "alpha_channel_info",
    168: "frame_field_info",
    177: "depth_representation_info",
    179: "multiview_acquisition_info",
    180: "multiview_view_position",
    200: "sei_manifest",
    201: "sei_prefix_indication",
    202: "annotated_regions",
    204: "sample_aspect_ratio_info",
    205: "shutter_interval_info",
    206: "extended_drap_indication",
    207: "constrained_rasl_encoding_indication",
    208: "scalability_dimension_info",
    209: "vdi_sei_envelope",
    213: "sei_processing_order",
    214: "sei_processing_order_nesting",
    216: "source_picture_timing_info",
    217: "object_mask_info",
    218: "modality_info",
    226: "packed_regions_info",
    227: "image_format_metadata",
}

_KINDS = {number: PayloadKind(name) for number, name in _PREFIX_ONLY.items()} | {
    3: PayloadKind("filler_payload", in_suffix=True),
    4: PayloadKind("user_data_registered_itu_t_t35", in_suffix=True, read=_user_data_registered),
    5: PayloadKind("user_data_unregistered", in_suffix=True, read=_user_data_unregistered),
    17: PayloadKind("progressive_refinement_segment_end", in_suffix=True),
    22: PayloadKind("post_filter_hint", in_suffix=True),
    132: PayloadKind(
        "decoded_picture_hash", in_prefix=False, in_suffix=True, read=_decoded_picture_hash
    ),
    133: PayloadKind("scalable_nesting", in_suffix=True),
    137: PayloadKind("mastering_display_colour_volume", read=_mastering_display_colour_volume),
    144: PayloadKind("content_light_level_info", read=_content_light_level_info),
    146: PayloadKind("coded_region_completion", in_suffix=True),
    210: PayloadKind(
        "nn_post_filter_characteristics", in_suffix=True, read=_nn_post_filter_characteristics
    ),
    211: PayloadKind("nn_post_filter_activation", in_suffix=True, read=_nn_post_filter_activation),
    212: PayloadKind("phase_indication", read=_phase_indication),
    215: PayloadKind("encoder_optimization_info", in_suffix=True),
    TEXT_DESCRIPTION: PayloadKind("text_description", read=_alone(text_description)),
    SIGNED_CONTENT_INITIALIZATION: PayloadKind(
        "digitally_signed_content_initialization",
        read=_alone(digitally_signed_content_initialization),
    ),
    SIGNED_CONTENT_SELECTION: PayloadKind(
        "digitally_signed_content_selection", read=_alone(digitally_signed_content_selection)
    ),
    SIGNED_CONTENT_VERIFICATION: PayloadKind(
        "digitally_signed_content_verification",
        in_prefix=False,
        in_suffix=True,
        read=_alone(digitally_signed_content_verification),
    ),
    # The reference decoder knows these two in suffix SEI NAL units only.
    223: PayloadKind("generative_face_video", in_prefix=False, in_suffix=True),
    224: PayloadKind("generative_face_video_enhancement", in_prefix=False, in_suffix=True),
    AI_USAGE_RESTRICTIONS: PayloadKind("ai_usage_restrictions", read=_alone(ai_usage_restrictions)),
}

# Numbers that only one codec has, or that mean something else in it.
_OF_CODEC = {
    codec: {number: PayloadKind(name) for number, name in names.items()}
    for codec, names in {
        Codec.VVC: {
            129: "parameter_sets_inclusion_indication",
            142: "colour_transform_info",
            153: "generalized_cubemap_projection",
            203: "subpic_level_info",
        },
        Codec.HEVC: {
            151: "cubemap_projection",
            152: "fisheye_video_info",
            157: "regional_nesting",
            158: "mcts_extraction_info_sets",
            159: "mcts_extraction_info_nesting",
            160: "layers_not_present",
            161: "inter_layer_constrained_tile_sets",
            162: "bsp_nesting",
            163: "bsp_initial_arrival_time",
            164: "sub_bitstream_property",
            166: "overlay_info",
            167: "temporal_mv_prediction_constraints",
            176: "three_dimensional_reference_displays_info",
            178: "multiview_scene_info",
            181: "alternative_depth_info",
            203: "shutter_interval_info",  # HM's number; 205 elsewhere
        },
        Codec.AVC: {151: "cubemap_projection", 181: "alternative_depth_info"},
    }.items()
}
