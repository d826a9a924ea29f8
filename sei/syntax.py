"""Syntax of the generative face video messages: H.274's tables as functions.

Each function codes one syntax structure with a `Coder`, and returns what was coded. ``given`` is
the message, or the part of it, that a writer codes; see `sei.coder`. Variables bear the names of
the elements, so that the functions read like the standard's tables, and `sei.documentation` makes
tables of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sei.bits import UE_MAX
from sei.coder import UNREAD, Coder
from sei.columns import keypoints_of, magnitudes_and_signs, matrix_elements_of
from sei.elements import Field, sign, u, ue
from sei.face_messages import (
    ChromaKey,
    ChromaKeyThreshold,
    CoordinateLayout,
    Coordinates,
    GenerativeFaceVideo,
    GenerativeFaceVideoEnhancement,
    Matrices,
    MatrixElement,
    MatrixLayout,
    MatrixShape,
    MatrixType,
    Network,
    NetworkPayload,
    NetworkReserved,
    NetworkUri,
    Pupils,
    is_reserved_id,
)

_PAYLOAD_MODE = NetworkPayload(b"").mode_idc
_URI_MODE = NetworkUri("", "").mode_idc

_PER_KEYPOINT = (MatrixType.AFFINE_TRANSLATION, MatrixType.COVARIANCE)
_HEAD_POSE = (MatrixType.HEAD_ROTATION, MatrixType.HEAD_TRANSLATION, MatrixType.HEAD_LOCATION)

_BLANK_ELEMENT = MatrixElement(0, 0)


class Inherited(Protocol):
    """What the messages of a face take over from its base message.

    The properties raise `ReferenceMissingError` where no base message gave them.
    """

    @property
    def coordinate_layout(self) -> CoordinateLayout:
        """Layout of the keypoints."""

    @property
    def matrix_layout(self) -> MatrixLayout:
        """Layout of the matrices."""

    @property
    def pupil_precision_factor(self) -> int:
        """Precision factor of the pupils."""


def generative_face_video(
    c: Coder, given: Any, inherited: Callable[[int], Inherited], hm18: bool = False
) -> GenerativeFaceVideo:
    """Code the message of payloadType 223; ``hm18``: as the older draft in HM 18.0 has it."""
    gfv_id = c.ue("gfv_id", given.gfv_id)
    if is_reserved_id(gfv_id):
        return GenerativeFaceVideo(gfv_id, extension=c.opaque(given.extension))
    base = inherited(gfv_id)
    gfv_cnt = c.ue("gfv_cnt", given.gfv_cnt)
    base_picture_flag = False
    if gfv_cnt == 0:
        base_picture_flag = c.flag("gfv_base_picture_flag", given.base_picture_flag)
    nn_mode_idc, network, chroma_key = None, None, None
    if base_picture_flag:
        nn_mode_idc, network = _network(c, "gfv", given.network)
        chroma_key = _chroma_key(c, given.chroma_key, hm18)
    drive_picture_fusion_flag = False
    if not base_picture_flag and (gfv_cnt == 0 or hm18):
        drive_picture_fusion_flag = c.flag(
            "gfv_drive_picture_fusion_flag", given.drive_picture_fusion_flag
        )
    low_confidence_face_parameter_flag = c.flag(
        "gfv_low_confidence_face_parameter_flag", given.low_confidence_face_parameter_flag
    )
    coordinates, coordinate_layout = None, None
    coordinate_present_flag = c.flag("gfv_coordinate_present_flag", given.coordinates is not None)
    if coordinate_present_flag:
        coordinates, coordinate_layout = _coordinates(c, given.coordinates, base_picture_flag, base)
    matrices = None
    matrix_present_flag = c.flag(
        "gfv_matrix_present_flag", given.matrices is not None, 0 if coordinate_present_flag else 1
    )
    if matrix_present_flag:
        matrices = _gfv_matrices(c, given.matrices, base_picture_flag, coordinate_layout, base)
    extension = None
    if nn_mode_idc == _PAYLOAD_MODE:
        network = _network_payload(c, "gfv", given.network)
    else:
        extension = c.trailing(given.extension)
    return GenerativeFaceVideo(
        gfv_id,
        gfv_cnt,
        base_picture_flag,
        network,
        chroma_key,
        drive_picture_fusion_flag,
        low_confidence_face_parameter_flag,
        coordinates,
        matrices,
        extension,
    )


def _network(c: Coder, prefix: str, given: Any) -> tuple[int | None, Network | None]:
    """Mode, and the network itself unless its bytes are at the end of the message."""
    nn_present_flag = c.flag(f"{prefix}_nn_present_flag", given is not None)
    if not nn_present_flag:
        return None, None
    nn_mode_idc = c.ue(f"{prefix}_nn_mode_idc", given.mode_idc)
    if nn_mode_idc == _URI_MODE:
        c.align(f"{prefix}_nn_alignment_zero_bit_a")
        tag = c.st(f"{prefix}_nn_tag_uri", given.tag)
        uri = c.st(f"{prefix}_nn_uri", given.uri)
        return nn_mode_idc, NetworkUri(tag, uri)
    if nn_mode_idc == _PAYLOAD_MODE:
        return nn_mode_idc, None
    return nn_mode_idc, NetworkReserved(nn_mode_idc)


def _network_payload(c: Coder, prefix: str, given: Any) -> NetworkPayload:
    c.align(f"{prefix}_nn_alignment_zero_bit_b")
    return NetworkPayload(c.byte_string(f"{prefix}_nn_payload_byte", given.data))


def _chroma_key(c: Coder, given: Any, hm18: bool) -> ChromaKey | None:
    chroma_key_info_present_flag = c.flag("gfv_chroma_key_info_present_flag", given is not None)
    if not chroma_key_info_present_flag:
        return None
    purpose_idc = 0
    if not hm18:
        purpose_idc = c.ue("gfv_chroma_key_purpose_idc", given.purpose_idc, 0, 2)
    values: list[int | None] = [None, None, None]
    for i in range(3):
        value_present_flag = c.flag(
            "gfv_chroma_key_value_present_flag", given.values[i] is not None, 0, (i,)
        )
        if value_present_flag:
            values[i] = c.u("gfv_chroma_key_value", 8, given.values[i], 0, 255, (i,))
    if hm18:  # noqa: SIM108 - a statement, for `sei.documentation`
        threshold = _thresholds_of_hm18(c, given.threshold)
    else:
        threshold = _threshold(c, given.threshold)
    return ChromaKey(purpose_idc, (values[0], values[1], values[2]), threshold)


def _threshold(c: Coder, given: Any) -> ChromaKeyThreshold | None:
    thr_present_flag = c.flag("gfv_chroma_key_thr_present_flag", given is not None)
    if thr_present_flag:
        lower = c.u("gfv_chroma_key_thr_lower", 8, given.lower)
        upper_delta_minus1 = c.ue(
            "gfv_chroma_key_thr_upper_delta_minus1", given.upper_delta_minus1, 0, 255
        )
        return ChromaKeyThreshold(lower, upper_delta_minus1)
    return None


def _thresholds_of_hm18(c: Coder, given: Any) -> ChromaKeyThreshold | None:
    """Lower and upper threshold, each with a flag of its own; 48 and 75 where absent."""
    values = [48, 75]
    any_present = False
    for i in range(2):
        thr_present_flag = c.flag("gfv_chroma_key_thr_present_flag", given is not None, 0, (i,))
        if thr_present_flag:
            any_present = True
            upper_less_lower = i * (given.upper_delta_minus1 + 1)
            values[i] = c.ue(
                "gfv_chroma_key_thr_value", given.lower + upper_less_lower, 0, UE_MAX, (i,)
            )
    if not any_present:
        return None
    return ChromaKeyThreshold(values[0], values[1] - values[0] - 1)


def _coordinates(
    c: Coder, given: Any, base_picture_flag: bool, base: Inherited
) -> tuple[Coordinates, CoordinateLayout]:
    """Coordinates, and their layout, which they hold only where it is coded."""
    kps_pred_flag = c.flag("gfv_kps_pred_flag", given.predicted)
    if base_picture_flag or not kps_pred_flag:
        coded_layout = layout = _coordinate_layout(c, given.layout)
    else:
        coded_layout, layout = None, base.coordinate_layout
    if kps_pred_flag:
        keypoints = _keypoints(c, "gfv_coordinate_d", given, layout)
    else:
        keypoints = _keypoints(c, "gfv_coordinate_", given, layout)
    return Coordinates(keypoints, kps_pred_flag, coded_layout), layout


def _keypoints(
    c: Coder, name: str, given: Any, layout: CoordinateLayout
) -> Sequence[tuple[int, ...]]:
    num_kps, dimensions = layout.num_keypoints, layout.dimensions
    columns = c.array(
        [
            field
            for axis in "xyz"[:dimensions]
            for field in (ue(f"{name}{axis}_abs"), sign(f"{name}{axis}_sign_flag"))
        ],
        (
            magnitudes_and_signs(c.items("coordinates of a keypoint", keypoint, dimensions, 1, 0))
            for keypoint in c.items("keypoints", given.values, num_kps, dimensions, UNREAD)
        ),
        num_kps,
        lambda: ((i,) for i in range(num_kps)),
    )
    return keypoints_of(columns)


def _coordinate_layout(c: Coder, given: Any) -> CoordinateLayout:
    given = c.part("the layout of the coordinates", given)
    precision_factor_minus1 = c.ue(
        "gfv_coordinate_precision_factor_minus1", given.precision_factor - 1, 0, 31
    )
    num_kps_minus1 = c.ue("gfv_num_kps_minus1", given.num_keypoints - 1)
    z_max_value = None
    z_present_flag = c.flag("gfv_coordinate_z_present_flag", given.z_max_value is not None)
    if z_present_flag:
        z_max_value_minus1 = c.ue(
            "gfv_coordinate_z_max_value_minus1", given.z_max_value - 1, 0, 2**16 - 1
        )
        z_max_value = z_max_value_minus1 + 1
    return CoordinateLayout(precision_factor_minus1 + 1, num_kps_minus1 + 1, z_max_value)


def _signed(c: Coder, name: str, given: int, greatest: int, *index: int) -> int:
    magnitude = c.ue(f"{name}_abs", abs(given), 0, greatest, index)
    if magnitude != 0:
        sign_flag = c.flag(f"{name}_sign_flag", given < 0, 0, index)
        return -magnitude if sign_flag else magnitude
    return 0


def _gfv_matrices(
    c: Coder,
    given: Any,
    base_picture_flag: bool,
    coordinate_layout: CoordinateLayout | None,
    base: Inherited,
) -> Matrices:
    matrix_pred_flag = False
    if not base_picture_flag:
        matrix_pred_flag = c.flag("gfv_matrix_pred_flag", given.predicted)
    if not matrix_pred_flag:
        layout = _gfv_matrix_layout(c, given.layout, coordinate_layout)
        p = layout.precision_factor
        elements = _gfv_elements(
            c, "gfv_matrix_element", u("gfv_matrix_element_dec", p), given, layout, 1 + p
        )
        return Matrices(elements, matrix_pred_flag, layout)
    # Fractions of differences are Exp-Golomb codes, and may exceed 1.
    elements = _gfv_elements(
        c,
        "gfv_matrix_delta_element",
        ue("gfv_matrix_delta_element_dec"),
        given,
        base.matrix_layout,
        2,
    )
    return Matrices(elements, matrix_pred_flag, None)


def _gfv_elements(
    c: Coder, name: str, fraction: Field, given: Any, layout: MatrixLayout, least_bits: int
) -> Sequence[MatrixElement]:
    """Elements of all matrices; ``least_bits`` is what each takes at least."""
    columns = c.array(
        (ue(f"{name}_int"), fraction, sign(f"{name}_sign_flag")),
        c.items("matrix elements", given.elements, layout.size, least_bits, _BLANK_ELEMENT),
        layout.size,
        lambda: (
            (i, j, k, m)
            for i, shape in enumerate(layout.shapes)
            for j in range(shape.count)
            for k in range(shape.height)
            for m in range(shape.width)
        ),
    )
    return matrix_elements_of(columns)


def _gfv_matrix_layout(
    c: Coder, given: Any, coordinate_layout: CoordinateLayout | None
) -> MatrixLayout:
    given = c.part("the layout of the matrices", given)
    precision_factor_minus1 = c.ue(
        "gfv_matrix_element_precision_factor_minus1", given.precision_factor - 1, 0, 31
    )
    num_matrix_types_minus1 = c.ue("gfv_num_matrix_types_minus1", len(given.shapes) - 1)
    shapes = [
        _gfv_matrix_shape(c, shape, i, coordinate_layout)
        for i, shape in enumerate(
            c.items("matrix types", given.shapes, num_matrix_types_minus1 + 1, 7, UNREAD)
        )
    ]
    return MatrixLayout(precision_factor_minus1 + 1, tuple(shapes))


def _gfv_matrix_shape(
    c: Coder, given: Any, i: int, coordinate_layout: CoordinateLayout | None
) -> MatrixShape:
    # The number of matrices of types 0 and 1 is relative to that of the keypoints.
    lowest_type = 2 if coordinate_layout is None else 0
    type_idx = c.u("gfv_matrix_type_idx", 6, given.type_idx, lowest_type, 63, (i,))
    if type_idx in _PER_KEYPOINT:
        assert coordinate_layout is not None
        count = _matrices_per_keypoints(c, given, i, coordinate_layout.num_keypoints)
        dimensions = coordinate_layout.dimensions
        return MatrixShape(type_idx, count, dimensions, dimensions)
    if type_idx in _HEAD_POSE:
        if coordinate_layout is None:
            space_3d_flag = c.flag("gfv_matrix_3d_space_flag", given.height == 3, 0, (i,))
            dimensions = 3 if space_3d_flag else 2
        else:
            dimensions = coordinate_layout.dimensions
        width = dimensions if type_idx == MatrixType.HEAD_ROTATION else 1
        return MatrixShape(type_idx, 1, dimensions, width)
    count = 1
    if type_idx >= MatrixType.COMPACT_FEATURE:
        num_matrices_minus1 = c.ue("gfv_num_matrices_minus1", given.count - 1, 0, 1023, (i,))
        count = num_matrices_minus1 + 1
    width_minus1 = c.ue("gfv_matrix_width_minus1", given.width - 1, 0, 1023, (i,))
    height_minus1 = c.ue("gfv_matrix_height_minus1", given.height - 1, 0, 1023, (i,))
    return MatrixShape(type_idx, count, height_minus1 + 1, width_minus1 + 1)


def _matrices_per_keypoints(c: Coder, given: Any, i: int, num_kps: int) -> int:
    """Number of matrices of type 0 or 1; the coded number leaves out ``num_kps``."""
    equal_to_num_kps_flag = c.flag(
        "gfv_num_matrices_equal_to_num_kps_flag", given.count == num_kps, 0, (i,)
    )
    if equal_to_num_kps_flag:
        return num_kps
    skipped = 1 if given.count < num_kps else 2
    info = c.ue("gfv_num_matrices_info", given.count - skipped, 0, 1023, (i,))
    return info + 1 if info < num_kps - 1 else info + 2


def generative_face_video_enhancement(
    c: Coder, given: Any, inherited: Callable[[int, int], Inherited]
) -> GenerativeFaceVideoEnhancement:
    """Code the message of payloadType 224."""
    gfve_id = c.ue("gfve_id", given.gfve_id)
    gfve_gfv_id = c.ue("gfve_gfv_id", given.gfv_id)
    gfve_gfv_cnt = c.ue("gfve_gfv_cnt", given.gfv_cnt)
    base = inherited(gfve_id, gfve_gfv_id)
    base_picture_flag = False
    if gfve_gfv_cnt == 0:
        base_picture_flag = c.flag("gfve_base_picture_flag", given.base_picture_flag)
    nn_mode_idc, network = None, None
    if base_picture_flag:
        nn_mode_idc, network = _network(c, "gfve", given.network)
    matrices = None
    matrix_present_flag = c.flag("gfve_matrix_present_flag", given.matrices is not None)
    if matrix_present_flag:
        matrices = _gfve_matrices(c, given.matrices, base_picture_flag, base)
    pupils = _pupils(c, given.pupils, base_picture_flag, base)
    extension = None
    if nn_mode_idc == _PAYLOAD_MODE:
        network = _network_payload(c, "gfve", given.network)
    else:
        extension = c.trailing(given.extension)
    return GenerativeFaceVideoEnhancement(
        gfve_id,
        gfve_gfv_id,
        gfve_gfv_cnt,
        base_picture_flag,
        network,
        matrices,
        pupils,
        extension,
    )


def _gfve_matrices(c: Coder, given: Any, base_picture_flag: bool, base: Inherited) -> Matrices:
    matrix_pred_flag = False
    if not base_picture_flag:
        matrix_pred_flag = c.flag("gfve_matrix_pred_flag", given.predicted)
    if not matrix_pred_flag:
        layout = _gfve_matrix_layout(c, given.layout)
        p = layout.precision_factor
        elements = _gfve_elements(
            c, "gfve_matrix_element", u("gfve_matrix_element_dec", p), given, layout, 1 + p
        )
        return Matrices(elements, matrix_pred_flag, layout)
    p = base.matrix_layout.precision_factor
    elements = _gfve_elements(
        c,
        "gfve_matrix_delta_element",
        u("gfve_matrix_delta_element_dec", p),
        given,
        base.matrix_layout,
        1 + p,
    )
    return Matrices(elements, matrix_pred_flag, None)


def _gfve_elements(
    c: Coder, name: str, fraction: Field, given: Any, layout: MatrixLayout, least_bits: int
) -> Sequence[MatrixElement]:
    """Elements of all matrices, of which there is one of each shape."""
    columns = c.array(
        (ue(f"{name}_int"), fraction, sign(f"{name}_sign_flag")),
        c.items("matrix elements", given.elements, layout.size, least_bits, _BLANK_ELEMENT),
        layout.size,
        lambda: (
            (j, k, m)
            for j, shape in enumerate(layout.shapes)
            for k in range(shape.height)
            for m in range(shape.width)
        ),
    )
    return matrix_elements_of(columns)


def _gfve_matrix_layout(c: Coder, given: Any) -> MatrixLayout:
    given = c.part("the layout of the matrices", given)
    precision_factor_minus1 = c.ue(
        "gfve_matrix_element_precision_factor_minus1", given.precision_factor - 1, 0, 31
    )
    num_matrices_minus1 = c.ue("gfve_num_matrices_minus1", len(given.shapes) - 1, 0, 1023)
    shapes = []
    for j, shape in enumerate(
        c.items("matrices", given.shapes, num_matrices_minus1 + 1, 2, UNREAD)
    ):
        height_minus1 = c.ue("gfve_matrix_height_minus1", shape.height - 1, 0, 1023, (j,))
        width_minus1 = c.ue("gfve_matrix_width_minus1", shape.width - 1, 0, 1023, (j,))
        shapes.append(MatrixShape(None, 1, height_minus1 + 1, width_minus1 + 1))
    return MatrixLayout(precision_factor_minus1 + 1, tuple(shapes))


def _pupils(c: Coder, given: Any, base_picture_flag: bool, base: Inherited) -> Pupils | None:
    left, right, precision_factor = None, None, None
    present_idx = c.u("gfve_pupil_coordinate_present_idx", 2, _present_idx(given))
    if present_idx == 0:
        return None
    if base_picture_flag:
        precision_factor_minus1 = c.ue(
            "gfve_pupil_coordinate_precision_factor_minus1",
            c.part("the precision factor of the pupils", given.precision_factor) - 1,
            0,
            31,
        )
        p = precision_factor = precision_factor_minus1 + 1
    else:
        p = base.pupil_precision_factor
    if present_idx != 2:
        left = _pupil(c, "gfve_pupil_left_eye", given.left, p)
    if present_idx != 1:
        right = _pupil(c, "gfve_pupil_right_eye", given.right, p)
    return Pupils(left, right, precision_factor)


def _present_idx(given: Any) -> int:
    """1 for the left eye and 2 for the right one."""
    return 0 if given is None else (given.left is not None) + 2 * (given.right is not None)


def _pupil(c: Coder, eye: str, given: Any, p: int) -> tuple[int, int]:
    x = _signed(c, f"{eye}_dx_coordinate", given[0], 2 ** (p + 1))
    y = _signed(c, f"{eye}_dy_coordinate", given[1], 2 ** (p + 1))
    return x, y
