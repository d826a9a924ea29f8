"""Pictures as a video codec leaves them: HEVC by the libx265 that comes with PyAV."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

import numpy as np

from models.contract import Picture
from models.errors import TrainingError


@cache
def has_hevc_encoder() -> bool:
    """Whether this PyAV can encode HEVC."""
    import av

    return "libx265" in av.codecs_available


def code_hevc(
    pictures: Sequence[Picture], qps: Sequence[int], preset: str = "medium"
) -> tuple[bytes, list[Picture]]:
    """Code one or two pictures uint8 RGB [S, S, 3] as HEVC, the first intra, the other predicted.

    `qps` are those of the first and of the other. Returns the byte stream, and the pictures that a
    decoder makes of it.

    Raises:
        TrainingError: the encoder or the decoder failed.
    """
    import av

    size = pictures[0].shape[0]
    # What x265 has for a step of QP from intra to predicted pictures.
    step = 2 ** ((qps[-1] - qps[0]) / 6)
    options = (
        f"qp={qps[-1]}:ipratio={step:.4f}:keyint=250:bframes=0:scenecut=0:repeat-headers=1:"
        "pools=none:frame-threads=1:log-level=none:info=0"
    )
    try:
        encoder = av.CodecContext.create("libx265", "w")
        assert isinstance(encoder, av.VideoCodecContext)
        encoder.width = encoder.height = size
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = Fraction(1, 25)
        encoder.thread_count = 1
        encoder.options = {"preset": preset, "x265-params": options}
        packets = []
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts = number
            packets += encoder.encode(frame)
        packets += encoder.encode(None)
        decoder = av.CodecContext.create("hevc", "r")
        assert isinstance(decoder, av.VideoCodecContext)
        decoder.thread_count = 1
        frames = [frame for packet in packets for frame in decoder.decode(packet)]
        frames += decoder.decode(None)
    except av.FFmpegError as error:
        raise TrainingError(f"coding pictures at QP {list(qps)} failed ({error})") from None
    if len(frames) != len(pictures):
        raise TrainingError(f"coding {len(pictures)} pictures gave {len(frames)}")
    decoded = [np.asarray(frame.to_ndarray(format="rgb24"), np.uint8) for frame in frames]
    return b"".join(bytes(packet) for packet in packets), decoded
