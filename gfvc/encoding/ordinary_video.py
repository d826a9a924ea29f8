"""Coding a segment of ordinary video: one sequence of the base codec, without reordering."""

from __future__ import annotations

import time
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
from models.contract import Closable, Picture

# What a sequence that waits for its encoder may take on the disk, 8-bit samples.
SPOOL_BYTES = 1 << 30
# A base codec program may take its timeout for this many pictures.
PICTURES_PER_TIMEOUT = 25


def most_pictures(size: int) -> int:
    """Pictures of a sequence at most, so many samples wide and high: they wait on the disk."""
    return max(1, SPOOL_BYTES // (size * size * 3 // 2))


class SequenceCoder(Closable):
    """Takes pictures one by one, and codes them as a sequence that starts with an IDR picture.

    Pictures wait in a file. `qp` is the quantisation parameter, 0..63 for VVC and 0..51 for HEVC;
    `timeout` seconds for 25 pictures. Raises `BaseCodecError` when no program can code.
    """

    def __init__(
        self,
        codec: Codec,
        qp: int,
        rate: Fraction,
        *,
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
        self._encoder = encoder
        self._timeout = timeout
        self._spool: PictureSpool | None = None
        self.seconds = 0.0
        """Time spent in programs of the base codec."""

    @property
    def waiting(self) -> int:
        """Pictures that wait to be coded."""
        return 0 if self._spool is None else len(self._spool)

    def add(self, picture: Picture) -> None:
        """Add a picture uint8 [height, width, 3] with even sides."""
        if self._spool is None:
            self._spool = PictureSpool()
        self._spool.append(to_picture420(picture))

    def finish(self) -> tuple[bytes, int]:
        """Code what waits, one picture or more: an Annex B stream, and how many they are."""
        assert self._spool is not None
        before = time.perf_counter()
        with self._spool as spool:
            count = len(spool)
            timeout = self._timeout * max(1.0, count / PICTURES_PER_TIMEOUT)
            encoder = find_encoder(self._codec, self._encoder, timeout=timeout)
            request = EncodeRequest(spool, self._qp, self._rate, structure="low_delay")
            stream = encoder.encode(request).stream
        self._spool = None
        self.seconds += time.perf_counter() - before
        return stream, count

    def close(self) -> None:
        """Forget what waits, when coding the clip has failed."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
