"""Coding a stretch of ordinary video: one sequence of the base codec, without reordering."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from fractions import Fraction

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    MAX_QP,
    Codec,
    EncodeRequest,
    PictureSpool,
    RequestInvalidError,
    find_encoder,
)
from gfvc.colour import to_picture420
from gfvc.key_pictures import AUTOMATIC_SECONDS
from gfvc.video_reader import Picture

# What a sequence that waits for its encoder may take on the disk, 8-bit samples.
SPOOL_BYTES = 1 << 30
# A base codec program may take its timeout for this many pictures.
PICTURES_PER_TIMEOUT = 25

WriteSequence = Callable[[bytes, int], None]


class SequenceCoder:
    """Takes pictures one by one and hands coded sequences to `write`, with their picture counts.

    Pictures wait in a file. A sequence ends with `finish`, after `longest` pictures (30 s when
    None, as from key picture to key picture), or when it fills `SPOOL_BYTES`; each starts with an
    IDR picture. `qp` is the quantisation parameter, 0..63 for VVC and 0..51 for HEVC; `timeout`
    seconds for 25 pictures. Raises `BaseCodecError` when no program can code.
    """

    def __init__(
        self,
        codec: Codec,
        qp: int,
        rate: Fraction,
        write: WriteSequence,
        *,
        longest: int | None = None,
        encoder: str = "auto",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        if not 0 <= qp <= MAX_QP[codec]:
            raise RequestInvalidError(
                f"QP is {qp} (of ordinary video): {codec.upper()} has 0..{MAX_QP[codec]}"
            )
        self._codec = codec
        self._qp = qp
        self._rate = rate
        self._write = write
        self._longest = longest or math.ceil(AUTOMATIC_SECONDS * rate)
        self._encoder = encoder
        self._timeout = timeout
        self._spool: PictureSpool | None = None
        self.pictures = 0
        self.seconds = 0.0

    def add(self, picture: Picture) -> None:
        """Add a picture uint8 [height, width, 3] with even sides."""
        if self._spool is None:
            self._spool = PictureSpool()
        self._spool.append(to_picture420(picture))
        self.pictures += 1
        waiting = len(self._spool)
        picture_bytes = picture.shape[0] * picture.shape[1] * 3 // 2
        if waiting >= self._longest or (waiting + 1) * picture_bytes > SPOOL_BYTES:
            self.finish()

    def finish(self) -> None:
        """Code and write what waits; the next picture starts a new sequence."""
        if self._spool is None:
            return
        before = time.perf_counter()
        with self._spool as spool:
            count = len(spool)
            timeout = self._timeout * max(1.0, count / PICTURES_PER_TIMEOUT)
            encoder = find_encoder(self._codec, self._encoder, timeout=timeout)
            request = EncodeRequest(spool, self._qp, self._rate, structure="low_delay")
            stream = encoder.encode(request).stream
        self._spool = None
        self.seconds += time.perf_counter() - before
        self._write(stream, count)

    def close(self) -> None:
        """Forget what waits, when coding the clip has failed."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
