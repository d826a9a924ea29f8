"""Key pictures as the decoder gets them: coded, at a strength drawn at random.

HEVC intra coding by the libx265 that comes with PyAV stands for VVC's: blocks, prediction and
in-loop filters are alike, and it takes some milliseconds where a VVC encoder takes a second.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
import numpy as np

from models.contract import Picture
from models.training.augmentation import imitate_key_coding
from models.training.errors import TrainingError

LOWEST_QP, HIGHEST_QP = 22, 46
_REAL_SHARE = 0.5
"""Of key pictures that pass for coded, how many are; the others are cheaper."""


@cache
def has_hevc_encoder() -> bool:
    """Whether this PyAV can encode HEVC."""
    return "libx265" in av.codecs_available


def hevc_intra(picture: Picture, qp: int) -> Picture:
    """Code a picture uint8 RGB [S, S, 3] as one HEVC intra picture, and decode it.

    Raises:
        TrainingError: the encoder or the decoder failed.
    """
    size = picture.shape[0]
    options = f"qp={qp}:keyint=1:ipratio=1:pools=none:frame-threads=1:log-level=none:info=0"
    try:
        encoder = av.CodecContext.create("libx265", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width = encoder.height = size
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = Fraction(1, 25)
        encoder.thread_count = 1
        encoder.options = {"preset": "ultrafast", "x265-params": options}
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        packets = [*encoder.encode(frame), *encoder.encode(None)]
        decoder = av.CodecContext.create("hevc", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
        frames += decoder.decode(None)
    except av.FFmpegError as error:
        raise TrainingError(f"coding a key picture at QP {qp} failed ({error})") from None
    if len(frames) != 1:
        raise TrainingError(f"coding a key picture at QP {qp} gave {len(frames)} pictures")
    return np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8)


def code_key(picture: Picture, random: np.random.Generator) -> Picture:
    """Code a key picture for real, or imitate that: half of the time each."""
    if has_hevc_encoder() and random.random() < _REAL_SHARE:
        return hevc_intra(picture, int(random.integers(LOWEST_QP, HIGHEST_QP + 1)))
    return imitate_key_coding(picture, random)
