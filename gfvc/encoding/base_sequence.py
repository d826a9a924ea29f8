"""Coding the coded pictures of a sequence at once: an IDR picture and those predicted after it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    MAX_QP,
    Codec,
    DecodeLimits,
    DecodeRequest,
    EncodeRequest,
    Picture420,
    PictureSpool,
    RequestInvalidError,
    find_decoder,
    find_encoder,
)
from gfvc.colour import is_grey, to_picture420, to_rgb, without_colour
from gfvc.encoding.ordinary_video import PICTURES_PER_TIMEOUT
from models.contract import Picture


@dataclass(frozen=True, slots=True)
class CodedSequence:
    """An Annex B stream that starts with an IDR picture, and its decoded pictures in order.

    They lie in a file, each until it is asked for: a sequence may be long.
    """

    stream: bytes
    decoded: Sequence[Picture420]

    def picture(self, number: int) -> Picture:
        """A decoded picture uint8 [height, width, 3]."""
        return to_rgb(self.decoded[number])


class BaseSequenceCoder:
    """Codes sequences of the base layer, in output order, and decodes them again.

    `key_qp` is the quantisation parameter of the IDR picture, `qp` that of the others, 0..63 for
    VVC and 0..51 for HEVC; `timeout` seconds for 25 pictures. Raises `BaseCodecError` when no
    program can code or decode.
    """

    def __init__(
        self,
        codec: Codec,
        key_qp: int,
        qp: int,
        rate: Fraction,
        *,
        encoder: str = "auto",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        for value in (key_qp, qp):
            if not 0 <= value <= MAX_QP[codec]:
                raise RequestInvalidError(f"QP is {value}: {codec.upper()} has 0..{MAX_QP[codec]}")
        self._codec = codec
        self._key_qp = key_qp
        self._qp = qp
        self._rate = rate
        self._encoder = encoder
        self._timeout = timeout
        self.seconds = 0.0
        """Time spent in programs of the base codec."""

    def code(self, pictures: Iterable[Picture]) -> CodedSequence:
        """Code pictures uint8 [height, width, 3] with even sides, one or more.

        What is nearly grey becomes grey, so that its decoded form is (`gfvc.grey_pictures`).
        """
        before = time.perf_counter()
        with PictureSpool() as spool:
            for picture in pictures:
                grey = is_grey(picture)
                spool.append(to_picture420(without_colour(picture) if grey else picture))
            count = len(spool)
            width, height = spool[0].width, spool[0].height
            timeout = self._timeout * max(1.0, count / PICTURES_PER_TIMEOUT)
            encoder = find_encoder(self._codec, self._encoder, timeout=timeout)
            request = EncodeRequest(
                spool, self._qp, self._rate, structure="low_delay", key_qp=self._key_qp
            )
            stream = encoder.encode(request).stream
        limits = DecodeLimits(width, height, area=width * height, pictures=count)
        decoder = find_decoder(self._codec, timeout=timeout)
        result = decoder.decode(DecodeRequest(stream, count, limits=limits))
        self.seconds += time.perf_counter() - before
        return CodedSequence(stream, result.pictures)
