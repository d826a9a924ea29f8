"""Encoders and decoders of VVC and HEVC as external programs behind one interface.

See docs/base_codecs.md for the programs, how each is found, and what is run.
"""

from base_codec_adapters.adapter import DEFAULT_TIMEOUT, BaseDecoder, BaseEncoder
from base_codec_adapters.byte_stream import Codec, most_samples
from base_codec_adapters.decoded_pictures import DecodedPictures
from base_codec_adapters.errors import (
    BaseCodecError,
    LimitExceededError,
    OutputInvalidError,
    ProgramError,
    ProgramFailedError,
    ProgramNotFoundError,
    ProgramTimeoutError,
    RequestInvalidError,
    StreamInvalidError,
    TemporaryFolderError,
    UnknownAdapterError,
)
from base_codec_adapters.pictures import Picture420
from base_codec_adapters.registry import (
    AUTO,
    AdapterStatus,
    available,
    find_decoder,
    find_encoder,
)
from base_codec_adapters.requests import (
    BT709_LIMITED,
    MAX_QP,
    ColourDescription,
    DecodeLimits,
    DecodeRequest,
    DecodeResult,
    Effort,
    EncodeRequest,
    EncodeResult,
    ProbeResult,
    ProgramInfo,
    Structure,
    Unavailable,
)
from base_codec_adapters.spool import PictureSpool

__all__ = [
    "AUTO",
    "BT709_LIMITED",
    "DEFAULT_TIMEOUT",
    "MAX_QP",
    "AdapterStatus",
    "BaseCodecError",
    "BaseDecoder",
    "BaseEncoder",
    "Codec",
    "ColourDescription",
    "DecodeLimits",
    "DecodeRequest",
    "DecodeResult",
    "DecodedPictures",
    "Effort",
    "EncodeRequest",
    "EncodeResult",
    "LimitExceededError",
    "OutputInvalidError",
    "Picture420",
    "PictureSpool",
    "ProbeResult",
    "ProgramError",
    "ProgramFailedError",
    "ProgramInfo",
    "ProgramNotFoundError",
    "ProgramTimeoutError",
    "RequestInvalidError",
    "StreamInvalidError",
    "Structure",
    "TemporaryFolderError",
    "Unavailable",
    "UnknownAdapterError",
    "available",
    "find_decoder",
    "find_encoder",
    "most_samples",
]
