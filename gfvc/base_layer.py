"""Key pictures through the base codec: RGB in, coded pictures and what a decoder makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    Codec,
    DecodeLimits,
    DecodeRequest,
    EncodeRequest,
    find_decoder,
    find_encoder,
)
from gfvc.colour import is_grey, to_picture420, to_rgb, without_colour
from gfvc.limits import MAX_AREA, MAX_SIDE

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class CodedKeyPicture:
    """An Annex B stream of one access unit with its parameter sets, and its decoded picture."""

    stream: bytes
    decoded: Picture


class KeyPictureCoder:
    """Codes key pictures one by one, each an intra picture with its own parameter sets.

    A key picture is coded when it comes, because what follows is described relative to its
    decoded form; and each can be decoded from, so a stream can be entered at any of them.
    `timeout` is in seconds for a program and a picture.
    Raises `BaseCodecError` when no encoder or decoder program can be used.
    """

    def __init__(
        self,
        codec: Codec,
        qp: int,
        rate: Fraction,
        encoder: str = "auto",
        timeout: float = DEFAULT_TIMEOUT,
    ) -> None:
        self._encoder = find_encoder(codec, encoder, timeout=timeout)
        self._decoder = find_decoder(codec, timeout=timeout)
        self.codec = codec
        self.qp = qp
        self._rate = rate

    def code(self, picture: Picture) -> CodedKeyPicture:
        """Code one picture uint8 [height, width, 3] with even sides, and decode it again.

        What is nearly grey becomes grey, so that its decoded form is (`gfvc.grey_pictures`).
        """
        if is_grey(picture):
            picture = without_colour(picture)
        request = EncodeRequest((to_picture420(picture),), qp=self.qp, fps=self._rate)
        stream = self._encoder.encode(request).stream
        height, width = picture.shape[:2]
        # The limits are against streams of others; this one is as large as the caller's pictures.
        limits = DecodeLimits(width, height, area=width * height, pictures=1)
        coded = DecodeRequest(stream, expected_pictures=1, limits=limits)
        decoded = self._decoder.decode(coded).pictures[0]
        return CodedKeyPicture(stream, to_rgb(decoded))


def decode_base_layer(
    codec: Codec,
    parts: Iterable[tuple[bytes, int]],
    timeout: float = DEFAULT_TIMEOUT,
    area: int = MAX_AREA,
) -> Iterator[Picture]:
    """The pictures of a base layer as RGB.

    `parts` are streams that can be decoded one by one, each with its number of coded pictures;
    the decoded pictures of one part wait on the disk. `timeout` is in seconds for a part, `area`
    the most luma samples that a picture may have. Raises `BaseCodecError` when they are not as
    many as expected, or cannot be decoded.
    """
    limits = DecodeLimits(MAX_SIDE, MAX_SIDE, area)
    decoder = find_decoder(codec, timeout=timeout)
    for stream, expected in parts:
        result = decoder.decode(DecodeRequest(stream, expected, limits=limits))
        yield from map(to_rgb, result.pictures)
