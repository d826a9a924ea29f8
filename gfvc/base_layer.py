"""The base layer: sequences of coded pictures by the base codec, RGB in and RGB out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from base_codec_adapters import (
    DEFAULT_TIMEOUT,
    MAX_QP,
    Codec,
    DecodeLimits,
    DecodeRequest,
    Effort,
    EncodeRequest,
    Picture420,
    PictureSpool,
    RequestInvalidError,
    StreamInvalidError,
    Structure,
    find_decoder,
    find_encoder,
)
from base_codec_adapters.picture_order import output_places
from gfvc.base_colour import BaseColours
from gfvc.colour import is_grey, to_picture420, to_rgb, without_colour
from gfvc.halving import FINER, halved
from gfvc.limits import MAX_AREA, MAX_SIDE
from gfvc.post_filtering import UNFILTERED, PostFiltering
from gfvc.telling import Notes, Share, unheard
from models.contract import Picture
from models.post_filter import ToldQps

# A base codec program may take its timeout for this many pictures.
PICTURES_PER_TIMEOUT = 25


@dataclass(frozen=True, slots=True)
class SequenceQps:
    """Quantisation parameters of a sequence: 0..63 for VVC, 0..51 for HEVC.

    `key` is that of its first picture, an IDR picture; None for what the encoder derives from
    `predicted`, that of the others. `predicted` None: all are IDR pictures with parameter sets.
    """

    key: int | None = None
    predicted: int | None = None

    def check(self, codec: Codec, what: str = "") -> None:
        """Raise `RequestInvalidError` where a codec has no such parameter; `what` names the use."""
        for qp in (self.key, self.predicted):
            if qp is not None and not 0 <= qp <= MAX_QP[codec]:
                use = f" ({what})" if what else ""
                raise RequestInvalidError(
                    f"QP is {qp}{use}: {codec.upper()} has 0..{MAX_QP[codec]}"
                )

    def finer(self, steps: int) -> SequenceQps:
        """So many steps finer, if there are as many."""
        key, predicted = (
            None if qp is None else max(0, qp - steps) for qp in (self.key, self.predicted)
        )
        return SequenceQps(key, predicted)

    @property
    def told(self) -> ToldQps:
        """What post-filters are told of them."""
        key, predicted = self.key, self.predicted
        if key is None:
            key = predicted
        assert key is not None
        return ToldQps(key, key if predicted is None else predicted)

    def request(
        self,
        pictures: PictureSpool,
        rate: Fraction,
        *,
        reordered: bool = False,
        effort: Effort = "medium",
        progress: Callable[[int], object] | None = None,
    ) -> EncodeRequest:
        """What is asked of an encoder.

        Pictures are coded in output order, or, where some are predicted, `reordered`. `progress` is
        told how many are coded.
        """
        if self.predicted is None:
            assert self.key is not None
            return EncodeRequest(pictures, self.key, rate, effort=effort, progress=progress)
        structure: Structure = "random_access" if reordered else "low_delay"
        return EncodeRequest(
            pictures,
            self.predicted,
            rate,
            structure=structure,
            key_qp=self.key,
            effort=effort,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class CodedSequence:
    """An Annex B stream that starts with an IDR picture, and its decoded pictures in output order.

    They lie in a file, each until it is asked for: a sequence may be long. `places` are theirs in
    output order, in the order of the stream; None where these are the same. `qps` are what they
    are coded by, `post_filter` is what they go by before they are shown.
    """

    stream: bytes
    decoded: Sequence[Picture420]
    qps: ToldQps
    places: Sequence[int] | None = None
    post_filter: PostFiltering = UNFILTERED

    def picture(self, number: int) -> Picture:
        """A decoded picture uint8 [height, width, 3], filtered."""
        qp = self.qps.of(is_key=number == 0)
        return self.post_filter(to_rgb(self.decoded[number]), qp)


class BaseLayerCoder:
    """Codes sequences of the base layer: a key picture, a segment, or ordinary video.

    `rate` is in pictures a second, `timeout` in seconds for a program and 25 pictures, `effort` how
    long the encoder may look for fewer bits. With `halves` pictures are coded at half their width
    and height, and finer (`gfvc.halving`).
    Raises `BaseCodecError` when no encoder or decoder program can be used.
    """

    def __init__(
        self,
        codec: Codec,
        rate: Fraction,
        encoder: str = "auto",
        timeout: float = DEFAULT_TIMEOUT,
        effort: Effort = "medium",
        *,
        halves: bool = False,
    ) -> None:
        find_encoder(codec, encoder)
        find_decoder(codec)
        self.halves = halves
        self._codec = codec
        self._rate = rate
        self._encoder = encoder
        self._timeout = timeout
        self._effort = effort
        self.seconds = 0.0
        """Time spent in programs of the base codec."""

    def told(self, qps: SequenceQps) -> ToldQps:
        """What post-filters are told of pictures that are asked for by some parameters."""
        return self._as_coded(qps).told

    def _as_coded(self, qps: SequenceQps) -> SequenceQps:
        return qps.finer(FINER) if self.halves else qps

    def sampled(self, picture: Picture) -> Picture420:
        """What is coded of a picture uint8 [height, width, 3]; raises `ValueError` for odd sides.

        With `halves`, sides are multiples of 4.
        """
        return to_picture420(halved(picture) if self.halves else picture)

    def encode(
        self,
        pictures: PictureSpool,
        qps: SequenceQps,
        *,
        reordered: bool = False,
        tell: Share = unheard,
    ) -> bytes:
        """Code pictures, each `sampled`, that are shown as they are; an Annex B stream.

        Its pictures are in output order, unless they may be `reordered` to spare bits. `tell` is
        told how much is done, if the program says so.
        """
        before = time.perf_counter()
        timeout = self._timeout_for(len(pictures))
        encoder = find_encoder(self._codec, self._encoder, timeout=timeout)
        request = self._as_coded(qps).request(
            pictures,
            self._rate,
            reordered=reordered,
            effort=self._effort,
            progress=lambda coded: tell(coded / len(pictures)),
        )
        stream = encoder.encode(request).stream
        self.seconds += time.perf_counter() - before
        return stream

    def code(
        self,
        pictures: Iterable[Picture],
        qps: SequenceQps,
        *,
        reordered: bool = False,
        tell: Share = unheard,
    ) -> CodedSequence:
        """Code pictures uint8 [height, width, 3] that others are drawn from, and decode them.

        There is one or more, of even sides; they may be `reordered` to spare bits. They are decoded
        because what is drawn is described relative to that. What is nearly grey becomes grey, so
        that its decoded form is (`gfvc.grey_pictures`). `tell` is as of `encode`.
        """
        with PictureSpool() as spool:
            for picture in pictures:
                grey = is_grey(picture)
                spool.append(self.sampled(without_colour(picture) if grey else picture))
            stream = self.encode(spool, qps, reordered=reordered, tell=tell)
            return self.decoded(stream, spool, qps, reordered=reordered)

    def decoded(
        self, stream: bytes, pictures: PictureSpool, qps: SequenceQps, *, reordered: bool
    ) -> CodedSequence:
        """The sequence that a stream of `encode` is, with its pictures decoded."""
        before = time.perf_counter()
        count, width, height = len(pictures), pictures[0].width, pictures[0].height
        # The limits are against streams of others; this one is as large as the caller's pictures.
        limits = DecodeLimits(width, height, area=width * height, pictures=count)
        decoder = find_decoder(self._codec, timeout=self._timeout_for(count))
        result = decoder.decode(DecodeRequest(stream, count, limits=limits))
        self.seconds += time.perf_counter() - before
        places = output_places(stream, self._codec) if reordered else None
        return CodedSequence(stream, result.pictures, self.told(qps), places)

    def _timeout_for(self, pictures: int) -> float:
        return self._timeout * max(1.0, pictures / PICTURES_PER_TIMEOUT)


def decode_base_layer(
    codec: Codec,
    parts: Iterable[tuple[bytes, int]],
    timeout: float = DEFAULT_TIMEOUT,
    area: int = MAX_AREA,
    notes: Notes = unheard,
) -> Iterator[Picture]:
    """The pictures of a base layer as RGB, of the colours that it states.

    `parts` are streams that can be decoded one by one, each with its number of coded pictures;
    the decoded pictures of one part wait on the disk. `timeout` is in seconds for a part, `area`
    the most luma samples that a picture may have; `notes` is told of colours that are mapped.
    Raises `BaseCodecError` when they are not as many as expected, or cannot be decoded,
    `UnknownColourError` for colours that are not known.
    """
    limits = DecodeLimits(MAX_SIDE, MAX_SIDE, area)
    decoder = find_decoder(codec, timeout=timeout)
    colours = BaseColours(codec, notes)
    depth: int | None = None
    for stream, expected in parts:
        result = decoder.decode(DecodeRequest(stream, expected, limits=limits))
        if depth not in (None, result.bit_depth):
            raise StreamInvalidError(
                f"the stream changes from {depth} to {result.bit_depth} bits a sample: split it"
            )
        depth = result.bit_depth
        yield from map(colours.converter(stream), result.pictures)
