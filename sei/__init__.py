"""SEI messages of VVC, HEVC and H.264 streams, generative face video (H.274) above all.

NAL units are split from byte streams and joined again byte for byte; messages of any type survive
untouched; generative face video messages and their enhancement are read and written completely.
"""

from sei.access_unit import AccessUnitBoundaries, access_units
from sei.annex_b import join_annex_b, split_annex_b
from sei.codec_detection import guess_codec
from sei.elements import Element
from sei.enhancement_state import GfveState
from sei.errors import (
    ArgumentError,
    ElementRangeError,
    EndOfDataError,
    FieldMissingError,
    FieldUnusedError,
    MessageCutError,
    MessageError,
    PayloadError,
    ReferenceMissingError,
    SeiError,
    StreamError,
    TrailingBitsError,
    UnknownCodecError,
    WrongCodecError,
)
from sei.escaping import printable
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
    NetworkPayload,
    NetworkReserved,
    NetworkUri,
    Pupils,
)
from sei.face_values import FaceValues, MatrixValues
from sei.nal import (
    Codec,
    NalUnit,
    add_emulation_prevention,
    end_of_sequence,
    irap_delimiter,
    remove_emulation_prevention,
)
from sei.rbsp import (
    FACE_PAYLOADS,
    GENERATIVE_FACE_VIDEO,
    GENERATIVE_FACE_VIDEO_ENHANCEMENT,
    USER_DATA_UNREGISTERED,
    SeiMessage,
    SeiRbsp,
    iterate_sei_messages,
    make_sei_nal_unit,
    read_sei,
)
from sei.state import GfvState

__all__ = [
    "FACE_PAYLOADS",
    "GENERATIVE_FACE_VIDEO",
    "GENERATIVE_FACE_VIDEO_ENHANCEMENT",
    "USER_DATA_UNREGISTERED",
    "AccessUnitBoundaries",
    "ArgumentError",
    "ChromaKey",
    "ChromaKeyThreshold",
    "Codec",
    "CoordinateLayout",
    "Coordinates",
    "Element",
    "ElementRangeError",
    "EndOfDataError",
    "FaceValues",
    "FieldMissingError",
    "FieldUnusedError",
    "GenerativeFaceVideo",
    "GenerativeFaceVideoEnhancement",
    "GfvState",
    "GfveState",
    "Matrices",
    "MatrixElement",
    "MatrixLayout",
    "MatrixShape",
    "MatrixType",
    "MatrixValues",
    "MessageCutError",
    "MessageError",
    "NalUnit",
    "NetworkPayload",
    "NetworkReserved",
    "NetworkUri",
    "PayloadError",
    "Pupils",
    "ReferenceMissingError",
    "SeiError",
    "SeiMessage",
    "SeiRbsp",
    "StreamError",
    "TrailingBitsError",
    "UnknownCodecError",
    "WrongCodecError",
    "access_units",
    "add_emulation_prevention",
    "end_of_sequence",
    "guess_codec",
    "irap_delimiter",
    "iterate_sei_messages",
    "join_annex_b",
    "make_sei_nal_unit",
    "printable",
    "read_sei",
    "remove_emulation_prevention",
    "split_annex_b",
]
