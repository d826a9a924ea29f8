"""The pictures that all codecs of a benchmark are given: cropped and scaled as gfvc codes them."""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from gfvc.crop import choose_crop
from gfvc.errors import InputError, system_errors
from gfvc.face_square import FaceSquare
from gfvc.framing import checked_size, frame
from gfvc.given import not_a_file
from gfvc.options.encoding import SourceOptions, View
from gfvc.rectangle import Rectangle
from gfvc.scaling import Size, read_scaled
from gfvc.telling import Notes, unheard
from gfvc.video_reader import probe_video, read_pictures
from gfvc.video_writer import open_writer
from models.contract import Picture
from models.errors import CheckpointError
from models.files import file_sha256

_HASH_DIGITS = 8


@dataclass(frozen=True, slots=True)
class ClipName:
    """A clip by the hash of its content; `identifier` is fit for a folder's name."""

    path: Path
    sha256: str

    @property
    def name(self) -> str:
        """The file's name without its suffix."""
        return self.path.stem

    @property
    def identifier(self) -> str:
        """Name and start of the hash."""
        plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", self.name).strip(".") or "clip"
        return f"{plain}-{self.sha256[:_HASH_DIGITS]}"


def name_clips(paths: list[Path]) -> list[ClipName]:
    """Hash the clips; raise `InputError` for one that cannot be read, or that comes twice."""
    clips: dict[str, ClipName] = {}
    for path in paths:
        with system_errors(InputError, path, "cannot be read"):
            if not path.is_file():
                raise InputError(f"{path}: {not_a_file(path)}")
        try:
            clip = ClipName(path, file_sha256(path))
        except CheckpointError as error:
            raise InputError(str(error)) from None
        if clip.sha256 in clips:
            raise InputError(f"{path}: is the same clip as {clips[clip.sha256].path}")
        clips[clip.sha256] = clip
    return list(clips.values())


@dataclass(frozen=True, slots=True)
class SourceVideo:
    """A lossless video of the pictures to code, `pictures` of `size` at `rate` a second.

    They are squares around the face, or whole pictures. In these `square` is where gfvc sees and
    draws the face; None where it fills them.
    """

    path: Path
    rate: Fraction
    pictures: int
    size: Size
    view: View = "face"
    square: FaceSquare | None = None

    @property
    def seconds(self) -> float:
        """Duration: pictures over rate."""
        return self.pictures / float(self.rate)

    def read(self) -> Iterator[Picture]:
        """The pictures, uint8 RGB [height, width, 3]."""
        return read_pictures(self.path, self.rate)

    def to_json(self) -> dict[str, Any]:
        """What results say of it."""
        return {
            "pictures": self.pictures,
            "fps": float(self.rate),
            "seconds": self.seconds,
            "width": self.size[0],
            "height": self.size[1],
            "face_square": None if self.square is None else dataclasses.asdict(self.square),
        }


def prepare_reference(
    clip: Path,
    lossless: Path,
    shown: Path,
    source: SourceOptions,
    seconds: float | None,
    notes: Notes = unheard,
) -> SourceVideo:
    """Crop and scale a clip into a lossless .mkv and a small .mp4 to show.

    `source` says to what; `seconds` cuts it, None takes all. `notes` is told what of the clip a
    user should know. Raises `InputError` for a clip that cannot be read or is too small.
    """
    video = probe_video(clip)
    if video.rate_note is not None:
        notes(video.rate_note)
    size = checked_size(clip, video.width, video.height, source)
    if source.whole_pictures:
        crop = Rectangle(0, 0, video.width, video.height)
    else:
        crop = choose_crop(clip, video.width, video.height, size[0])
    most = None if seconds is None else max(1, round(seconds * video.rate))
    count = 0
    with open_writer(lossless, video.rate) as kept, open_writer(shown, video.rate) as seen:
        for picture in itertools.islice(read_scaled(clip, video.rate, crop, size, notes), most):
            kept.write(picture)
            seen.write(picture)
            count += 1
    if not source.whole_pictures:
        return SourceVideo(lossless, video.rate, count, size)
    # As the encoder finds it in these pictures.
    framing = frame(lossless, *size, SourceOptions(view="whole", size=min(size)), unheard)
    return SourceVideo(lossless, video.rate, count, size, "whole", framing.square)
