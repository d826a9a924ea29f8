"""One pass over a clip, from pictures to a stream; a bitrate takes several of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path

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
from sei import Codec, access_units, split_annex_b

REMEMBERED_PICTURES = 20_000
"""Pictures that an analyser remembers where it looks at them more than once.

It keeps their landmarks: some 115 MB, 13 minutes of one face.
"""

# Who is shown is judged by the skin's colour too, so that a white balance that drifts counts.
_NO_USE = (
    ": no face that generation can use, or one in other light or colours than in the key picture"
)


@dataclass(frozen=True, slots=True)
class CodedClip:
    """What a pass made of a clip: an Annex B stream in a file, how, and what became of pictures.

    `heard` was told while the clip was read.
    """

    clip: Clip
    settings: RateSettings
    stream: Path
    part: CodedPart
    heard: Iterable[str]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know."""
        remarks = _remarks(self.clip, self.settings, self.part.tally)
        return (*dict.fromkeys(self.heard), *remarks)

    def write_mp4(
        self, path: Path, audio_source: Path | None = None, coding: SoundCoding = "copy"
    ) -> None:
        """Put the stream into an MP4 file, with the sound of a file if one is named."""
        with self.stream.open("rb") as file:
            units = list(access_units(split_annex_b(file, Codec(self.clip.codec))))
        pictures = self.part.pictures_of_units
        write_mp4(path, units, pictures, self.clip.rate, audio_source, coding)


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
    before = 0

    def done(count: int) -> None:
        progress(before + count, clip.expected)

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
                before += part.tally.frames
    return CodedClip(clip, settings, stream, joined(parts), notes)


def _remarks(clip: Clip, settings: RateSettings, tally: Tally) -> Iterator[str]:
    """What a user should know of the pictures sent."""
    if clip.halves(settings):
        (width, height), shown = clip.coded_size(settings), clip.shown_size
        yield (
            f"{clip.source}: is coded as {width}x{height}, which decoders enlarge to "
            f"{shown[0]}x{shown[1]}; --coded-size full codes all pixels, and coarser"
        )
    late = [str(restart) for restart in clip.options.restarts if restart >= tally.frames]
    if late:
        yield (
            f"{clip.source}: --restart-at {', '.join(late)} does nothing: the last of the "
            f"{tally.frames} pictures is number {tally.frames - 1}"
        )
    asked, longest = clip.options.key_interval, clip.longest_interval
    if asked is not None and longest < min(asked, tally.frames):
        yield (
            f"{clip.source}: key pictures are at most {longest} pictures apart, not {asked} "
            "(--key-interval): pictures wait on the disk until the next"
        )
    if tally.cheaper_pictures:
        yield (
            f"{clip.source}: {tally.cheaper_pictures} of {tally.frames} pictures are sent as "
            "ordinary video: to code all of them takes fewer bits than to draw some"
        )
    others = tally.fallback_pictures - tally.cheaper_pictures
    if others:
        why = "" if clip.options.fallback == "always" else _NO_USE
        yield (
            f"{clip.source}: {others} of {tally.frames} pictures are sent as ordinary video{why}"
        )
    if tally.low_confidence_pictures:
        yield (
            f"{clip.source}: {tally.low_confidence_pictures} of {tally.frames} pictures show no "
            "face; the face stands still there"
        )
