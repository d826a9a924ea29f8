"""One point of one clip: coded and decoded again, by gfvc or by a conventional codec."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

import numpy as np

from base_codec_adapters.picture_order import output_places
from base_codec_adapters.registry import find_encoder
from base_codec_adapters.requests import ProgramInfo
from base_codec_adapters.video import (
    VideoRequest,
    decoded_video,
    encode_video,
    find_video_encoder,
)
from gfvc import __version__
from gfvc.base_layer import decode_base_layer
from gfvc.bench.plan import GfvcSettings, PeerSettings, Plan, Settings
from gfvc.bench.source_video import SourceVideo
from gfvc.colour import to_picture420, to_rgb
from gfvc.decoder import decode
from gfvc.encoder import encode
from gfvc.framing import even
from gfvc.scaling import Size, enlarged, scale
from gfvc.stream.face_stream import FaceStream
from gfvc.stream.reader import read_face_stream
from gfvc.video_reader import read_pictures
from models import default_registry
from models.contract import Picture

BASE_LAYER, SEI, ALL = "base layer", "SEI", "all"
"""What bits of a picture are of."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A coded clip: its stream, and its pictures with the decoded key picture that each is of.

    `bits` are those of the whole file, `picture_bits` those of each picture by what they are of:
    `BASE_LAYER` and `SEI` of gfvc, `ALL` of a conventional codec; empty where they are not known.
    Seconds are wall time of encoding and of decoding.
    """

    stream: Path
    bits: int
    picture_bits: Mapping[str, tuple[int, ...]]
    encode_seconds: float
    decode_seconds: float
    pictures: Iterator[tuple[Picture, Picture]]


def describe_programs(settings: Settings) -> str:
    """What codes a point, with versions: another version may code it otherwise.

    Raises `ModelError` or `BaseCodecError` when the model or the program is not there.
    """
    if isinstance(settings, PeerSettings):
        return find_video_encoder(settings.encoder).find_program().version
    card = default_registry().find(settings.model).card
    encoder = find_encoder("vvc").probe()
    base = encoder.version if isinstance(encoder, ProgramInfo) else encoder.reason
    weights = f" {card.sha256}" if card.sha256 else ""
    return f"gfvc {__version__}, {card.uri}{weights}, {base}"


def check_programs(plan: Plan) -> None:
    """Raise `ModelError` or `BaseCodecError` when a model or program of a plan is not there."""
    for settings in plan.points():
        describe_programs(settings)


@contextmanager
def coded(settings: Settings, reference: SourceVideo, folder: Path) -> Iterator[Coded]:
    """Code a clip into `folder` and decode it; pictures can be read while the block lasts.

    Raises `GfvcError`, `ModelError`, `SeiError` or `BaseCodecError`.
    """
    if isinstance(settings, GfvcSettings):
        yield _code_gfvc(settings, reference, folder)
    else:
        with _coded_by_peer(settings, reference, folder) as result:
            yield result


def _code_gfvc(settings: GfvcSettings, reference: SourceVideo, folder: Path) -> Coded:
    stream, lossless = folder / "stream.266", folder / "decoded.mkv"
    options = settings.encode_options(reference.view, reference.size, reference.rate)
    encoded = encode(reference.path, stream, options)
    decoded = decode(stream, lossless)
    read = read_face_stream(stream, lambda _: None)
    return Coded(
        stream=stream,
        bits=8 * stream.stat().st_size,
        picture_bits=bits_of_pictures(read, decoded.frames),
        encode_seconds=encoded.seconds,
        decode_seconds=decoded.seconds,
        pictures=with_key_pictures(
            read_pictures(lossless, reference.rate),
            (
                enlarged(key, reference.size)
                for key in decode_base_layer(read.codec, read.base_layer_parts())
            ),
        ),
    )


def bits_of_pictures(stream: FaceStream, pictures: int) -> dict[str, tuple[int, ...]]:
    """Bits of each picture's coded picture, and of its face message without headers.

    A picture that is interpolated between messages has none. Empty when the stream does not tell
    of which pictures they are.
    """
    coded: list[int] = []
    messages: list[int] = []
    # Those of ordinary video may be coded in another order than they are shown in.
    units = stream.coded_units
    places = output_places(stream.base_layer, stream.codec)
    for number in sorted(range(len(places)), key=places.__getitem__):
        unit = units[number]
        start = len(coded)
        coded += [0] * unit.pictures
        coded[start + unit.output_place(0)] = 8 * len(unit.coded)
        messages += [0] * unit.pictures
        schedule = unit.schedule
        sent = range(unit.numbered_pictures) if schedule is None else (0, *schedule.sent)
        for of_unit, message in zip(sent, unit.messages, strict=False):
            # A hidden coded picture and the one in its place may both have a message.
            messages[start + unit.output_place(of_unit)] += 8 * message.size
    if len(coded) != pictures:
        return {}
    return {BASE_LAYER: tuple(coded), SEI: tuple(messages)}


def with_key_pictures(
    pictures: Iterator[Picture], keys: Iterator[Picture]
) -> Iterator[tuple[Picture, Picture]]:
    """Each decoded picture with the key picture that is valid at its time.

    A key picture is shown as it is, so the next one is valid from where it appears.
    """
    current = next(keys)
    following = next(keys, None)
    for picture in pictures:
        if following is not None and np.array_equal(picture, following):
            current, following = following, next(keys, None)
        yield picture, current


@contextmanager
def _coded_by_peer(settings: PeerSettings, reference: SourceVideo, folder: Path) -> Iterator[Coded]:
    encoder = find_video_encoder(settings.encoder)
    size, shows = reduced(reference.size, settings.reduction), settings.rate_reduction
    stream = folder / f"stream{encoder.suffix}"
    rate = reference.rate / shows
    request = VideoRequest(*size, rate, settings.quality, settings.structure, settings.preset)
    sources = islice(reference.read(), 0, None, shows)
    started = time.perf_counter()
    video = encode_video(
        encoder,
        request,
        (to_picture420(scale(picture, size)) for picture in sources),
        stream,
    )
    encoded = time.perf_counter()
    with decoded_video(encoder, request, stream, len(video.picture_bits)) as pictures:
        decode_seconds = time.perf_counter() - encoded
        shown = (enlarged(to_rgb(picture), reference.size) for picture in pictures)
        yield Coded(
            stream=stream,
            bits=8 * stream.stat().st_size,
            picture_bits={ALL: _spread(video.picture_bits, shows, reference.pictures)},
            encode_seconds=encoded - started,
            decode_seconds=decode_seconds,
            pictures=with_first_picture(repeated(shown, shows, reference.pictures)),
        )


def reduced(size: Size, reduction: int) -> Size:
    """A size whose sides are so many times shorter, and even, as 4:2:0 wants them."""
    width, height = size
    return even(width / reduction), even(height / reduction)


def repeated(pictures: Iterator[Picture], times: int, count: int) -> Iterator[Picture]:
    """Each picture shown some times in succession, `count` in all."""
    return islice(chain.from_iterable(repeat(picture, times) for picture in pictures), count)


def _spread(bits: Sequence[int], times: int, count: int) -> tuple[int, ...]:
    """Bits of each shown picture; one that is shown again costs none."""
    spread = [0] * count
    spread[::times] = bits
    return tuple(spread)


def with_first_picture(pictures: Iterator[Picture]) -> Iterator[tuple[Picture, Picture]]:
    """Each picture with the first, the one intra picture of a conventional codec's stream."""
    first = next(pictures)
    yield first, first
    yield from zip(pictures, repeat(first))
