"""One pass over a clip, from pictures to a stream; a bitrate takes several of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

from base_codec_adapters import Codec
from gfvc.encoding.clip import Clip
from gfvc.encoding.clip_part import CodedPart, code_part, joined
from gfvc.encoding.executor import Tally
from gfvc.rate_control.ladder import RateSettings
from gfvc.scaling import read_scaled
from gfvc.stream.containers import write_mp4
from gfvc.telling import Progress
from gfvc.video.sound import SoundCoding
from models import Analyser
from models.parallel import one_ahead
from sei import Codec as SeiCodec
from sei import access_units, split_annex_b

REMEMBERED_PICTURES = 20_000
"""Pictures that an analyser remembers where it looks at them more than once.

It keeps their landmarks: some 115 MB, 13 minutes of one face.
"""


@dataclass(frozen=True, slots=True)
class CodedClip:
    """What a pass made: an Annex B stream in a file, how, and of how many pictures of each kind.

    `notes` are what a user should know, `pictures_of_units` output pictures of each coded one.
    """

    stream: Path
    settings: RateSettings
    codec: Codec
    rate: Fraction
    tally: Tally
    pictures_of_units: tuple[int, ...]
    sei_bytes: int
    base_codec_seconds: float
    notes: tuple[str, ...]

    def write_mp4(
        self, path: Path, audio_source: Path | None = None, coding: SoundCoding = "copy"
    ) -> None:
        """Put the stream into an MP4 file, with the sound of a file if one is named."""
        with self.stream.open("rb") as file:
            units = list(access_units(split_annex_b(file, SeiCodec(self.codec))))
        write_mp4(path, units, self.pictures_of_units, self.rate, audio_source, coding)


def code_clip(
    clip: Clip, settings: RateSettings, stream: Path, analyser: Analyser, progress: Progress
) -> CodedClip:
    """Code a clip with some settings into the file `stream`; `analyser` is new, or rewound.

    Where options say so, it starts anew at some pictures. The encoder holds a decoder: coded
    pictures are analysed as decoded. Nothing grows with the clip's length but the file that is
    written. Raises `GfvcError`, `ModelError` or `BaseCodecError`.
    """
    notes: list[str] = []
    parts: list[CodedPart] = []
    count = 0

    def done() -> None:
        nonlocal count
        count += 1
        progress(count, clip.expected)

    with contextlib.ExitStack() as stack:
        file = stack.enter_context(stream.open("wb"))
        pictures = read_scaled(
            clip.source, clip.rate, clip.information.crop, clip.size, notes.append
        )
        coming = stack.enter_context(contextlib.closing(one_ahead(pictures)))
        for start, end in pairwise((0, *clip.options.restarts, None)):
            assert start is not None
            if start:
                analyser.rewind()
            of_part = islice(coming, None if end is None else end - start)
            part = code_part(clip, settings, of_part, file, analyser, done)
            if part is not None:
                parts.append(part)
    return coded_clip(clip, settings, stream, joined(parts), notes)


def coded_clip(
    clip: Clip, settings: RateSettings, stream: Path, coded: CodedPart, notes: Iterable[str]
) -> CodedClip:
    """What a clip became whose pictures are all coded; `notes` are of reading it."""
    return CodedClip(
        stream=stream,
        settings=settings,
        codec=clip.codec,
        rate=clip.rate,
        tally=coded.tally,
        pictures_of_units=coded.pictures_of_units,
        sei_bytes=coded.sei_bytes,
        base_codec_seconds=coded.base_codec_seconds,
        notes=(*dict.fromkeys(notes), *_remarks(clip, coded.tally)),
    )


def _remarks(clip: Clip, tally: Tally) -> Iterator[str]:
    """What a user should know of the pictures sent."""
    if tally.cheaper_pictures:
        yield (
            f"{clip.source}: {tally.cheaper_pictures} of {tally.frames} pictures are sent as "
            "ordinary video: to code all of them takes fewer bits than to draw some"
        )
    others = tally.fallback_pictures - tally.cheaper_pictures
    if others:
        why = "" if clip.options.fallback == "always" else ": no face that generation can use"
        yield (
            f"{clip.source}: {others} of {tally.frames} pictures are sent as ordinary video{why}"
        )
    if tally.low_confidence_pictures:
        yield (
            f"{clip.source}: {tally.low_confidence_pictures} of {tally.frames} pictures show no "
            "face; the face stands still there"
        )
